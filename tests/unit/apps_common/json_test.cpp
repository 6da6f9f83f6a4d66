// SPDX-License-Identifier: MIT
#include "common/json.hpp"

#include "catch.hpp"

using apps::json_string;

TEST_CASE("a JSON string holds the text and nothing that a terminal obeys", "[json]") {
    CHECK(json_string("") == R"("")");
    CHECK(json_string("plain /path?a=b") == R"("plain /path?a=b")");
    CHECK(json_string("a\"b\\c") == R"("a\"b\\c")");
    CHECK(json_string("a\nb\tc\x1b[2J\x7f") == R"("a\u000ab\u0009c\u001b[2J\u007f")");
    CHECK(json_string("\xc2\x9b") == R"("\u009b")");
    CHECK(json_string("\xe2\x80\xae") == R"("\u202e")");
    CHECK(json_string("\xff"
                      "a\xc0\xae") ==
          "\"\xef\xbf\xbd"
          "a\xef\xbf\xbd\xef\xbf\xbd\"");
    CHECK(json_string("h\xc3\xa9 \xf0\x9f\x99\x82") == "\"h\xc3\xa9 \xf0\x9f\x99\x82\"");
}
