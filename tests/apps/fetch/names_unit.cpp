// SPDX-License-Identifier: MIT
// Names for what comes from outside: pure, so every shape can be tried.
#include "catch.hpp"
#include "fetch/names.hpp"

#include <string>
#include <string_view>

TEST_CASE("a name is decoded once", "[fetch]") {
    CHECK(fetch::name_from_segment("a%20b") == "a b");
    CHECK(fetch::name_from_segment("%2541") == "%41");
    CHECK(fetch::name_from_segment("100%") == "100%");
    CHECK(fetch::name_from_segment("a+b") == "a+b");
}

TEST_CASE("what is no name becomes index.html", "[fetch]") {
    for (const auto* segment : {"", ".", "..", "...", "%2e%2e", "%2E"})
        CHECK(fetch::name_from_segment(segment) == "index.html");
}

TEST_CASE("a name has no directory and is not hidden", "[fetch]") {
    CHECK(fetch::name_from_segment("..%2f..%2fetc%2fpasswd") == "_.._etc_passwd");
    CHECK(fetch::name_from_segment("..%5c..%5cboot.ini") == "_.._boot.ini");
    CHECK(fetch::safe_name(".bashrc") == "bashrc");
    CHECK(fetch::safe_name(std::string_view{"a\0b", 3}) == "a_b");
}

TEST_CASE("controls and what is no UTF-8 become underscores", "[fetch]") {
    CHECK(fetch::safe_name("a\x1b[2J\r\n\t\x7f") == "a_[2J____");
    CHECK(fetch::safe_name("a\xc2\x9b"
                           "b") == "a_b");
    CHECK(fetch::safe_name("\x9b\xff\xc0\xae") == "____");
    CHECK(fetch::safe_name("gr\xc3\xbc\xc3\x9f"
                           "e") ==
          "gr\xc3\xbc\xc3\x9f"
          "e");
}

TEST_CASE("what is not seen becomes an underscore", "[fetch]") {
    CHECK(fetch::name_from_segment("%e2%80%aegpj.exe") == "_gpj.exe");
    for (const std::string unseen :
         {"\u061c", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068",
          "\u2069", "\u200b", "\u200c", "\u200d", "\ufeff", "\u2028", "\u2029"}) {
        CHECK(fetch::safe_name("a" + unseen + "b") == "a_b");
        CHECK(fetch::safe_name(unseen) == "_");
    }
    const std::string family = "\U0001f468\u200d\U0001f469.png";
    CHECK(fetch::safe_name(family) == family);
    CHECK(fetch::safe_name("\u05e9\u05dc\u05d5\u05dd") == "\u05e9\u05dc\u05d5\u05dd");
}

TEST_CASE("a long name keeps its extension and whole characters", "[fetch]") {
    const std::string ascii = fetch::safe_name(std::string(1000, 'a') + ".iso");
    CHECK(ascii == std::string(fetch::name_bytes_max - 4, 'a') + ".iso");
    std::string many;
    for (int i = 0; i < 500; ++i) many += "\xe6\x97\xa5";
    CHECK(fetch::safe_name(many) == many.substr(0, fetch::name_bytes_max / 3 * 3));
    CHECK(fetch::safe_name(many + ".x").ends_with(".x"));
    CHECK(fetch::safe_name("a." + std::string(1000, 'e')).size() == fetch::name_bytes_max);
}

TEST_CASE("no complete file can be taken for a part", "[fetch]") {
    CHECK(fetch::safe_name("x.part") == "x.part_");
    CHECK(fetch::safe_name("x.part.state") == "x.part.state_");
    CHECK(fetch::safe_name("part") == "part");
}

TEST_CASE("numbers stand behind the name", "[fetch]") {
    CHECK(fetch::numbered("x.txt", 0) == "x.txt");
    CHECK(fetch::numbered("x.txt", 12) == "x.txt.12");
}
