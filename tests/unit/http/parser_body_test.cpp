// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "trace.hpp"

#include <string>
#include <vector>

using parser_trace::error_status;
using parser_trace::request;

namespace {

std::string post(const std::string& field_lines, const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + field_lines + "\r\n\r\n" + body;
}
std::string chunked(const std::string& body) { return post("Transfer-Encoding: chunked", body); }

const std::string chunked_head = "head POST / 1.1 [Host=a] [Transfer-Encoding=chunked];";

struct bad {
    const char* rule;
    std::string bytes;
    const char* status;
};

}  // namespace

TEST_CASE("a body ends where Content-Length says", "[http][parser]") {
    CHECK(request(post("Content-Length: 5", "hello")) ==
          "head POST / 1.1 [Host=a] [Content-Length=5];body:hello;complete keep;end");
    CHECK(request(post("Content-Length: 0", "")) == "head POST / 1.1 [Host=a] [Content-Length=0];complete keep;end");
    CHECK(request(post("Content-Length: 005", "hello")) ==
          "head POST / 1.1 [Host=a] [Content-Length=005];body:hello;complete keep;end");
}

TEST_CASE("chunked bodies come out without their framing", "[http][parser]") {
    CHECK(request(chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")) ==
          chunked_head + "body:hello world;complete keep;end");
    CHECK(request(chunked("0\r\n\r\n")) == chunked_head + "complete keep;end");
    CHECK(request(chunked("00A\r\n0123456789\r\n000\r\n\r\n")) == chunked_head + "body:0123456789;complete keep;end");
    CHECK(request(chunked("a\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n")) ==
          chunked_head + "body:0123456789;complete keep;head GET / 1.1 [Host=b];complete keep;end");
    CHECK(request(post("Transfer-Encoding: CHUNKED", "0\r\n\r\n")) ==
          "head POST / 1.1 [Host=a] [Transfer-Encoding=CHUNKED];complete keep;end");
}

TEST_CASE("chunk extensions and trailer fields are read and dropped", "[http][parser]") {
    CHECK(request(chunked("1;a\r\nx\r\n1;a=b;c=\"d;\\\"e\"\r\ny\r\n0;z\r\n\r\n")) ==
          chunked_head + "body:xy;complete keep;end");
    CHECK(request(chunked("1 ; a\r\nx\r\n1\t;\ta = b \t ;c\t= \"d\" ; e\r\ny\r\n0 ;z\r\n\r\n")) ==
          chunked_head + "body:xy;complete keep;end");
    CHECK(request(chunked("1\r\nx\r\n0\r\nDigest: abc\r\nX:\r\n\r\n")) == chunked_head + "body:x;complete keep;end");
}

TEST_CASE("every doubt about the length of a body is refused", "[http][parser]") {
    using namespace std::string_literals;
    const std::vector<bad> cases{
        {"6.3 both", post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), "400"},
        {"6.3 both, the other way round", post("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"), "400"},
        {"6.3 differing lengths", post("Content-Length: 5\r\nContent-Length: 6", "hello"), "400"},
        {"6.3 the same length twice", post("Content-Length: 5\r\nContent-Length: 5", "hello"), "400"},
        {"6.3 a list of lengths", post("Content-Length: 5, 5", "hello"), "400"},
        {"9110 8.6 plus", post("Content-Length: +5", "hello"), "400"},
        {"9110 8.6 minus", post("Content-Length: -5", "hello"), "400"},
        {"9110 8.6 hexadecimal", post("Content-Length: 0x5", "hello"), "400"},
        {"9110 8.6 fraction", post("Content-Length: 5.0", "hello"), "400"},
        {"9110 8.6 a space within", post("Content-Length: 1 0", "hello"), "400"},
        {"9110 8.6 empty", post("Content-Length:", "hello"), "400"},
        {"9110 8.6 quoted", post("Content-Length: \"5\"", "hello"), "400"},
        {"9110 8.6 2^64", post("Content-Length: 18446744073709551616", "hello"), "400"},
        {"9110 8.6 far beyond", post("Content-Length: 99999999999999999999999999", "hello"), "400"},
        {"6.1 in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {"6.1 unknown coding before chunked", post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), "501"},
        {"6.1 chunked twice", post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"), "400"},
        {"6.1 chunked in two fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
         "400"},
        {"6.3 chunked is not last", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n"), "400"},
        {"6.3 chunked is not last, two fields",
         post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"), "400"},
        {"6.3 not chunked", post("Transfer-Encoding: gzip", ""), "400"},
        {"6.3 identity", post("Transfer-Encoding: identity", ""), "400"},
        {"6.3 empty", post("Transfer-Encoding:", ""), "400"},
        {"6.3 an empty element", post("Transfer-Encoding: , chunked", "0\r\n\r\n"), "501"},
        {"6.3 trailing comma", post("Transfer-Encoding: chunked,", "0\r\n\r\n"), "400"},
        {"6.3 misspelled", post("Transfer-Encoding: xchunked", "0\r\n\r\n"), "400"},
        {"6.3 misspelled", post("Transfer-Encoding: chunkedx", "0\r\n\r\n"), "400"},
        {"6.3 quoted", post("Transfer-Encoding: \"chunked\"", "0\r\n\r\n"), "400"},
        {"7 with a parameter", post("Transfer-Encoding: chunked;q=1", "0\r\n\r\n"), "400"},
        {"7.1 no size", chunked("\r\nhello\r\n"), "400"},
        {"7.1 not hexadecimal", chunked("5g\r\nhello\r\n"), "400"},
        {"7.1 plus", chunked("+5\r\nhello\r\n"), "400"},
        {"7.1 minus", chunked("-5\r\nhello\r\n"), "400"},
        {"7.1 prefix", chunked("0x5\r\nhello\r\n"), "400"},
        {"7.1 underscore", chunked("1_0\r\nhello\r\n"), "400"},
        {"7.1 leading space", chunked(" 5\r\nhello\r\n"), "400"},
        {"7.1 trailing space", chunked("5 \r\nhello\r\n"), "400"},
        {"7.1 trailing tab", chunked("5\t\r\nhello\r\n"), "400"},
        {"7.1 over 64 bits", chunked("10000000000000000\r\n"), "400"},
        {"7.1 over 64 bits by zeros", chunked("00000000000000005\r\nhello\r\n"), "400"},
        {"7.1 bare LF after the size", chunked("5\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1 bare CR after the size", chunked("5\rhello\r\n0\r\n\r\n"), "400"},
        {"7.1 data longer than its size", chunked("4\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1 bare LF after the data", chunked("5\r\nhello\n0\r\n\r\n"), "400"},
        {"7.1 bare CR after the data", chunked("5\r\nhello\r0\r\n\r\n"), "400"},
        {"7.1 nothing after the data", chunked("5\r\nhello0\r\n\r\n"), "400"},
        {"7.1.1 extension without name", chunked("5;\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 extension without value", chunked("5;a=\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 bare LF in an extension", chunked("5;a\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 bare CR in an extension", chunked("5;a\rb\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 NUL in an extension", chunked("5;a=\"\0\"\r\nhello\r\n0\r\n\r\n"s), "400"},
        {"7.1.1 open quote", chunked("5;a=\"b\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 text behind a quote", chunked("5;a=\"b\"c\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 whitespace behind a name", chunked("5;a \r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 whitespace behind a value", chunked("5;a=b\t\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 whitespace behind a quote", chunked("5;a=\"b\" \r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 whitespace in place of a name", chunked("5; \r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 whitespace in place of a value", chunked("5;a= \r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 two names", chunked("5;a b\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 two values", chunked("5;a=b c\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 whitespace and a second size", chunked("5 6;a\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 whitespace before =", chunked("5 =a\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.1 bare LF behind whitespace", chunked("5; \na\r\nhello\r\n0\r\n\r\n"), "400"},
        {"7.1.2 space before a trailer's colon", chunked("0\r\nX : a\r\n\r\n"), "400"},
        {"7.1.2 folded trailer", chunked("0\r\nX: a\r\n b\r\n\r\n"), "400"},
        {"7.1.2 bare LF in the trailers", chunked("0\r\nX: a\n\r\n"), "400"},
        {"7.1.2 bare LF for the empty line", chunked("0\r\n\n"), "400"},
        {"8 cut off in a chunk", chunked("5\r\nhel"), "400"},
        {"8 cut off behind a chunk", chunked("5\r\nhello\r\n"), "400"},
        {"8 cut off before the empty line", chunked("0\r\n"), "400"},
    };
    for (const auto& c : cases) {
        INFO(c.rule);
        const auto trace = request(c.bytes);
        INFO(trace);
        CHECK(error_status(trace) == c.status);
    }
}

TEST_CASE("a length of 2^64-1 is a length", "[http][parser]") {
    ringlet::http::request_parser parser;
    const std::string text = post("Content-Length: 18446744073709551615", "");
    CHECK(parser.feed(std::as_bytes(std::span{text})).what == ringlet::http::event::head);
    CHECK(parser.body_bytes() == 18446744073709551615ULL);
}

TEST_CASE("body views point into the caller's bytes", "[http][parser]") {
    ringlet::http::request_parser parser;
    const std::string text = chunked("5\r\nhello\r\n0\r\n\r\n");
    auto input = std::as_bytes(std::span{text});
    auto r = parser.feed(input);
    input = input.subspan(r.consumed);
    r = parser.feed(input);
    REQUIRE(r.what == ringlet::http::event::body);
    CHECK(r.body.data() == input.data() + 3);
}
