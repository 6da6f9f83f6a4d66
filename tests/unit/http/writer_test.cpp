// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include <ringlet/http/parser.hpp>
#include <ringlet/http/writer.hpp>

#include <array>
#include <stdexcept>
#include <string>

namespace http = ringlet::http;

TEST_CASE("heads are written into the caller's buffer", "[http][writer]") {
    std::array<char, 200> buffer;
    http::head_writer w{buffer};
    w.status_line(http::status::ok).field("Content-Length", 18446744073709551615ULL).field("X", "y").end();
    CHECK(w.ok());
    CHECK(w.text() == "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\nX: y\r\n\r\n");
    http::head_writer r{buffer};
    r.request_line("GET", "/a?b", http::version::http_1_0).end();
    CHECK(r.text() == "GET /a?b HTTP/1.0\r\n\r\n");
}

TEST_CASE("a head that does not fit is not ok", "[http][writer]") {
    std::array<char, 19> buffer;
    CHECK(http::head_writer{buffer}.status_line(http::status::ok).end().ok());
    CHECK_FALSE(http::head_writer{std::span{buffer}.first(18)}.status_line(http::status::ok).end().ok());
    CHECK_FALSE(http::head_writer{std::span<char>{}}.end().ok());
}

TEST_CASE("nothing from outside can add a line to a head", "[http][writer]") {
    using namespace std::string_literals;
    std::array<char, 200> buffer;
    for (const auto& bad : {"a\r\nX: y"s, "a\nb"s, "a\rb"s, "a\0b"s, "\x1b[2J"s, "\x7f"s}) {
        CHECK_FALSE(http::head_writer{buffer}.field("X", bad).ok());
        CHECK_FALSE(http::head_writer{buffer}.status_line(http::status::ok, bad).ok());
        CHECK_FALSE(http::head_writer{buffer}.request_line("GET", "/" + bad).ok());
        CHECK_FALSE(http::head_writer{buffer}.request_line("G" + bad, "/").ok());
        CHECK_FALSE(http::head_writer{buffer}.field("X" + bad, "y").ok());
        http::response_head head;
        head.fields.add("Location", bad);
        std::string out = "before";
        CHECK_THROWS_AS(http::append_head(out, head), std::invalid_argument);
        CHECK(out == "before");
    }
    for (const char* bad : {"", "X:", "X Y", "X(", "\xc3\xa4"})
        CHECK_FALSE(http::head_writer{buffer}.field(bad, "y").ok());
    for (const char* bad : {"", "/a b", "/\xc3\xa4", "/#"})
        CHECK_FALSE(http::head_writer{buffer}.request_line("GET", bad).ok());
}

TEST_CASE("what is written is read back the same", "[http][writer]") {
    http::request_head head;
    head.method = http::method::post;
    head.target = "/x?y=%20";
    head.fields.add("Host", "h:8080").add("Content-Length", "0").add("X", "\xc3\xa4 \t b").add("Empty", "");
    std::string text;
    http::append_head(text, head);
    http::request_parser parser;
    const auto r = parser.feed(std::as_bytes(std::span{text}));
    REQUIRE(r.what == http::event::head);
    CHECK(r.consumed == text.size());
    CHECK(parser.head().method == http::method::post);
    CHECK(parser.head().target == head.target);
    std::string again;
    http::append_head(again, parser.head());
    CHECK(again == text);
}

TEST_CASE("responses carry the registered phrase or their own", "[http][writer]") {
    http::response_head head;
    head.status = http::status::not_found;
    std::string text;
    http::append_head(text, head);
    CHECK(text == "HTTP/1.1 404 Not Found\r\n\r\n");
    head.reason = "Nope";
    text.clear();
    http::append_head(text, head);
    CHECK(text == "HTTP/1.1 404 Nope\r\n\r\n");
    head.reason.clear();
    head.status = static_cast<http::status>(299);
    text.clear();
    http::append_head(text, head);
    CHECK(text == "HTTP/1.1 299 \r\n\r\n");
}

TEST_CASE("chunk lines are hexadecimal", "[http][writer]") {
    CHECK(http::chunk_line{1}.text() == "1\r\n");
    CHECK(http::chunk_line{65536}.text() == "10000\r\n");
    CHECK(http::chunk_line{0xffffffffffffffff}.text() == "ffffffffffffffff\r\n");
}
