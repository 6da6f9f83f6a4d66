// SPDX-License-Identifier: MIT
// Regular expressions 4: sub replaces what fits, split cuts the text there.
//
// sub() takes a text for the replacement, in which $1 is what group 1 has caught (Python writes
// \1), or a function that makes it from the match. split() gives what stands between the places
// that fit.

#include "lessons/regex.hpp"

#include <fmt/core.h>

#include <string>

using lessons::regex;

std::string one_more(const lessons::match& number) { return std::to_string(std::stoi(number.group()) + 1); }

int main() {
    const regex digits{R"(\d+)"};
    fmt::print("{}\n", digits.sub("998", "python = 997"));
    fmt::print("{}\n", digits.sub(one_more, "python = 997, c++ = 99"));

    const regex name{R"((\w+) (\w+))"};
    fmt::print("{}\n", name.sub("$2, $1", "Grace Hopper"));

    // Tags out, text in: [^>] is any character but >.
    const regex tag{"<[^>]*>"};
    fmt::print("{}\n", tag.sub("", "<p>Work for <b>one</b>, pay for two.</p>"));

    for (const std::string& part : regex{R"(:|\s+)"}.split("info:xiaoZhang 33   shandong")) fmt::print("[{}] ", part);
    fmt::print("\n");
}
