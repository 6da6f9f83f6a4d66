// SPDX-License-Identifier: MIT
// Regular expressions 1: match and fullmatch. Names of variables, e-mail addresses.
//
// A regular expression describes texts: [a-z] is one character of a set, \d a digit, \w a letter,
// digit or underscore, . any character; * after something means any number of it, + at least one, ?
// at most one, {4,20} four to twenty; ( | ) is a choice. A character with a meaning of its own
// loses it after a backslash: \. is a full stop.
//
// R"(...)" is C++'s raw string, as r"..." in Python: without it every backslash would have to be
// doubled.
//
// match() asks whether the text begins like that; only fullmatch(), or a $ at the end, asks about
// all of it. To forget that is the classic mistake, and the first line of the output shows it.
//
// The class regex has the words of Python's re. To read it:  ringlet-lessons --show regex.hpp

#include "lessons/regex.hpp"

#include <fmt/core.h>

#include <optional>

using lessons::regex;

const char* yes_or_no(const std::optional<lessons::match>& found) { return found ? "yes" : "no"; }

int main() {
    const regex identifier{R"([a-zA-Z_]\w*)"};
    const char* const wrong = "name!";
    fmt::print("{:12} match: {}, fullmatch: {}\n\n", wrong, yes_or_no(identifier.match(wrong)),
               yes_or_no(identifier.fullmatch(wrong)));

    for (const char* name : {"name1", "_name", "2_name", "__", "a-b"})
        fmt::print("{:12} a name of a variable? {}\n", name, yes_or_no(identifier.fullmatch(name)));

    // 4 to 20 characters, @, and one of two hosts. The stops are literal, so they need the backslash.
    const regex email{R"([a-zA-Z0-9_]{4,20}@(163|126)\.com)"};
    fmt::print("\n");
    for (const char* address : {"laowang@163.com", "python_1@126.com", "abc@163.com", "laowang@163xcom",
                                "laowang@qq.com", "laowang@163.com.cn"})
        fmt::print("{:20} an address of ours? {}\n", address, yes_or_no(email.fullmatch(address)));
}
