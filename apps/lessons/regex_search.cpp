// SPDX-License-Identifier: MIT
// Regular expressions 3: search and findall, greedy and not.
//
// search() gives the first place that fits, findall() every one. And the most common surprise with
// them: * and + are greedy, they take as much as they can. With a ? behind them they take as little
// as they can.

#include "lessons/regex.hpp"

#include <fmt/core.h>

using lessons::regex;

int main() {
    const char* const text = "python = 9999, c = 7890, c++ = 12345";
    const regex digits{R"(\d+)"};
    const auto first = digits.search(text);
    if (first) fmt::print("the first number is {}, at {} to {}\n", first->group(), first->begin(), first->end());

    fmt::print("all numbers:");
    for (const auto& number : digits.findall(text)) fmt::print(" {}", number.group());

    const regex pair{R"((\S+) = (\d+))"};
    fmt::print("\nas pairs:\n");
    for (const auto& found : pair.findall(text)) fmt::print("  {} has {} readers\n", found.group(1), found.group(2));

    const char* const html = "<b>one</b> and <b>two</b>";
    fmt::print("greedy:");
    for (const auto& bold : regex{"<b>.*</b>"}.findall(html)) fmt::print(" [{}]", bold.group());
    fmt::print("\nnot greedy:");
    for (const auto& bold : regex{"<b>.*?</b>"}.findall(html)) fmt::print(" [{}]", bold.group());

    // \b is the border of a word, and letters are those of every script.
    fmt::print("\nwords:");
    for (const auto& word : regex{R"(\b\w+\b)"}.findall("Grüße, 世界!")) fmt::print(" [{}]", word.group());
    fmt::print("\n");
}
