// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include <ringlet/http/framing.hpp>

namespace http = ringlet::http;

TEST_CASE("a Host is a name or address and an optional port", "[http]") {
    for (const char* good : {"a", "a.b.", "a:80", "a:", "127.0.0.1:8080", "[::1]", "[::1]:80", "[::ffff:1.2.3.4]",
                             "a-b_c~d", "%41b", "xn--nxasmq6b", "a,b"})
        CHECK(http::is_valid_host(good));
    for (const char* bad : {"", ":80", "a:b", "a:65536", "a:123456", "a/b", "a b", "u@a", "[::1", "::1", "[::1]80",
                            "[]", "[1]", "[a:b:g]", "%4", "%zz", "a\"", "\xc3\xa4", "http://a"})
        CHECK_FALSE(http::is_valid_host(bad));
}

TEST_CASE("Content-Length is a number or an error, never a guess", "[http]") {
    const auto read = [](const char* value) {
        http::fields f;
        f.add("content-length", value);
        return http::content_length(f);
    };
    CHECK(http::content_length(http::fields{}).has_value());
    CHECK_FALSE((*http::content_length(http::fields{})).has_value());
    CHECK(*read("42") == 42U);
    CHECK(*read(" 42 ") == 42U);
    CHECK(*read("18446744073709551615") == 18446744073709551615ULL);
    for (const char* bad : {"", "+1", "-1", "0x1", "1e3", "1,1", "1 1", "18446744073709551616", "\xd9\xa1"})
        CHECK_FALSE(read(bad).has_value());
}
