// SPDX-License-Identifier: MIT
// Regular expressions 2: groups, which catch a part of the text, and back-references.
//
// Each pair of parentheses is a group, counted by its opening parenthesis; group(0) is everything.
// Inside the expression \1 means "the same text that group 1 has caught": so <h1>...</h1> fits and
// <h1>...</h2> does not. With many groups names read better than numbers: (?P<tag>...) catches,
// (?P=tag) asks for it again.

#include "lessons/regex.hpp"

#include <fmt/core.h>

using lessons::regex;

int main() {
    const regex email{R"((\w{4,20})@(163|126|qq)\.com)"};
    const auto found = email.fullmatch("laowang@163.com");
    if (found) fmt::print("{}: user {}, host {}\n", found->group(0), found->group(1), found->group(2));

    const regex tag{R"(<(\w+)>.*</\1>)"};
    for (const char* html : {"<h1>hello</h1>", "<h1>hello</h2>"})
        fmt::print("{} {}\n", html, tag.fullmatch(html) ? "is well-formed" : "ends with another tag");

    const regex nested{R"(<(?P<outer>\w+)><(?P<inner>\w+)>(?P<text>.*)</(?P=inner)></(?P=outer)>)"};
    const auto page = nested.fullmatch("<body><h1>hello</h1></body>");
    if (page) fmt::print("{} in {}: {}\n", page->group("inner"), page->group("outer"), page->group("text"));

    // (?:...) is for a choice that is to catch nothing; a group that took no part is empty.
    const regex phone{R"((?:(\d{3,4})-)?(\d{7,8}))"};
    for (const char* number : {"010-12345678", "12345678"}) {
        const auto parts = phone.fullmatch(number);
        if (parts) fmt::print("{}: area \"{}\", number {}\n", number, parts->group(1), parts->group(2));
    }
}
