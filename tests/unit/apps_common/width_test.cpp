// SPDX-License-Identifier: MIT
#include "common/width.hpp"

#include "catch.hpp"

#include <string>

using apps::cells_of;

TEST_CASE("cells are counted, not bytes", "[width]") {
    CHECK(cells_of("") == 0);
    CHECK(cells_of("abc") == 3);
    CHECK(cells_of("äöü") == 3);
    CHECK(cells_of("世界") == 4);
    CHECK(cells_of("한국") == 4);
    CHECK(cells_of("ｆｕｌｌ") == 8);
    CHECK(cells_of("e\xcc\x81") == 1);
    CHECK(cells_of("😀") == 2);
    CHECK(cells_of("█░") == 2);
    CHECK(cells_of("…") == 1);
    CHECK(cells_of("\xff\xfe") == 2);
    CHECK(cells_of(U'\u200b') == 0);
    CHECK(cells_of(U'\U0010FFFF') == 1);
}

TEST_CASE("text is cut between characters and keeps their marks", "[width]") {
    CHECK(apps::first_cells("世界", 3) == "世");
    CHECK(apps::first_cells("e\xcc\x81x", 1) == "e\xcc\x81");
    CHECK(apps::first_cells("abc", 0).empty());
    CHECK(apps::shorten_end("abcdef", 6) == "abcdef");
    CHECK(apps::shorten_end("abcdef", 4) == "abc…");
    CHECK(apps::shorten_middle("abcdefgh.tar.gz", 15) == "abcdefgh.tar.gz");
    CHECK(apps::shorten_middle("abcdefgh.tar.gz", 10) == "abcde…r.gz");
    CHECK(apps::shorten_middle("世界世界世界", 6) == "世…界");
    CHECK(apps::shorten_middle("abc", 1) == "…");
    CHECK(apps::shorten_middle("abc", 0).empty());
}

TEST_CASE("padding counts cells", "[width]") {
    CHECK(apps::pad_right("世", 4) == "世  ");
    CHECK(apps::pad_right("abc", 2) == "abc");
}
