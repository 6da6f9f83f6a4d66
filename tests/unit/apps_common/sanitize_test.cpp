// SPDX-License-Identifier: MIT
#include "common/sanitize.hpp"

#include "catch.hpp"
#include "common/utf8.hpp"
#include "common/width.hpp"

#include <string>

using apps::sanitize;
using apps::text_context;
using namespace std::string_literals;

namespace {
std::string field(const std::string& raw) { return sanitize(raw, text_context::field); }
std::string text(const std::string& raw) { return sanitize(raw, text_context::text); }
std::string log_field(const std::string& raw) { return sanitize(raw, text_context::log); }
}  // namespace

TEST_CASE("escape sequences become visible everywhere", "[sanitize]") {
    for (auto* const clean : {field, text, log_field}) {
        CHECK(clean("\x1b[2J") == "\\x1b[2J");
        CHECK(clean("\x1b]0;x\x07") == "\\x1b]0;x\\x07");
        CHECK(clean("\x1b]52;c;aGk=\x07") == "\\x1b]52;c;aGk=\\x07");
        CHECK(clean("safe\roverwritten") == "safe\\x0doverwritten");
        CHECK(clean("a\nb") == "a\\x0ab");
        CHECK(clean("a\x7f"
                    "b") == "a\\x7fb");
        CHECK(clean("a\0b"s) == "a\\x00b");
        CHECK(clean("\x9b"
                    "31m") == "\\x9b31m");
        CHECK(clean("\x9d"
                    "0;x") == "\\x9d0;x");
        CHECK(clean("\xc2\x9b"
                    "31m") == "\\x9b31m");
        CHECK(clean("\xe2\x80\xa8") == "\\u2028");
        CHECK(clean("").empty());
        CHECK(clean("-rf") == "-rf");
        CHECK(clean("Grüße, мир, 世界, שלום, مرحبا") == "Grüße, мир, 世界, שלום, مرحبا");
    }
    CHECK(field("\x1b]8;;http://x\x1b\\") == "\\x1b]8;;http://x\\x1b\\\\");
    CHECK(text("\x1b]8;;http://x\x1b\\") == "\\x1b]8;;http://x\\x1b\\");
}

TEST_CASE("a tab is a space in chat and visible elsewhere", "[sanitize]") {
    CHECK(text("a\tb") == "a b");
    CHECK(field("a\tb") == "a\\x09b");
    CHECK(log_field("a\tb") == "a\\x09b");
}

TEST_CASE("backslash and quote leave no doubt in a log", "[sanitize]") {
    CHECK(log_field("a\\x1b\"b") == "a\\\\x1b\\x22b");
    CHECK(field("a\\b\"c") == "a\\\\b\"c");
    CHECK(text("a\\b\"c") == "a\\b\"c");
}

TEST_CASE("what is no UTF-8 is replaced byte by byte", "[sanitize]") {
    CHECK(field("\xc0\xae") == "\xef\xbf\xbd\xef\xbf\xbd");
    CHECK(log_field("\xc0\xae") == "\\xc0\\xae");
    CHECK(text("\xbf") == "\xef\xbf\xbd");
    CHECK(text("\x80") == "\\x80");
    CHECK(log_field("\xff\xfe") == "\\xff\\xfe");
    CHECK(text("\xed\xa0\xbd") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // half a surrogate pair
    CHECK(log_field("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");         // over U+10FFFF
    CHECK(log_field("\xf0\x9f\x98") == "\\xf0\\x9f\\x98");                  // cut off
    CHECK(text("\xf0\x9f\x98\x80") == "\xf0\x9f\x98\x80");
}

TEST_CASE("all twelve bidirectional controls go", "[sanitize]") {
    for (const char32_t c :
         {0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069}) {
        std::string raw = "a";
        apps::append_utf8(raw, c);
        raw += "b";
        CHECK(text(raw) == "ab");
        CHECK(field(raw).substr(0, 3) == "a\\u");
        CHECK(log_field(raw).size() == 8);
    }
    CHECK(field("gpj.\xe2\x80\xae"
                "exe") == "gpj.\\u202eexe");
}

TEST_CASE("zero-width characters show in names, but emoji stay whole", "[sanitize]") {
    CHECK(field("a\xe2\x80\x8b"
                "b") == "a\\u200bb");
    CHECK(field("a\xef\xbb\xbf"
                "b") == "a\\ufeffb");
    CHECK(field("a\xe2\x80\x8d"
                "b") == "a\\u200db");
    CHECK(field("👩‍💻") == "👩‍💻");
    CHECK(field("❤️‍🔥") == "❤️‍🔥");
    CHECK(text("a\xe2\x80\x8c"
               "b") ==
          "a\xe2\x80\x8c"
          "b");
}

TEST_CASE("long names are cut by cells, in the middle for fields", "[sanitize]") {
    const std::string name = std::string(10'000, 'x') + ".txt";
    const auto shown = sanitize(name, text_context::field, 20);
    CHECK(apps::cells_of(shown) == 20);
    CHECK(shown == "xxxxxxxxxx…xxxxx.txt");
    CHECK(sanitize(name, text_context::text, 5) == "xxxx…");
    CHECK(sanitize(std::string(1'000'000, 'x'), text_context::log).size() == 64 * 1024);
    CHECK(sanitize("abc", text_context::field, 0).empty());
    CHECK(sanitize("\x1b\x1b\x1b", text_context::log, 6) == "\\x1b\\…");
}

TEST_CASE("an emoji split between two reads is held back", "[sanitize]") {
    const std::string emoji = "ab\xf0\x9f\x98\x80";
    for (std::size_t n = 0; n <= 3; ++n) CHECK(apps::complete_utf8_prefix(emoji.substr(0, 2 + n)) == 2);
    CHECK(apps::complete_utf8_prefix(emoji) == 6);
    CHECK(apps::complete_utf8_prefix("") == 0);
    CHECK(apps::complete_utf8_prefix("a\x80") == 2);
    CHECK(apps::complete_utf8_prefix("\xf0\x80") == 2);  // can never become valid
    CHECK(apps::complete_utf8_prefix("\x80\x80\x80\x80") == 4);
    CHECK(apps::complete_utf8_prefix("\xe4\xb8") == 0);
}
