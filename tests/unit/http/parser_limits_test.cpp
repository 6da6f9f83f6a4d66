// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "trace.hpp"

#include <string>

using parser_trace::error_status;
using parser_trace::request;
using parser_trace::response;
using ringlet::http::limits;

namespace {

// One way only: these inputs are too long for every cut.
std::string quick(const std::string& text, const limits& bounds = {}) {
    ringlet::http::request_parser whole{bounds};
    ringlet::http::request_parser split{bounds};
    const auto a = parser_trace::run(whole, text, text.size(), text.size());
    const auto b = parser_trace::run(split, text, 1, 7);
    return a == b ? a : "differs: '" + a + "' and '" + b + "'";
}

std::string get(const std::string& target, const std::string& lines) {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
}

}  // namespace

TEST_CASE("a line of exactly the limit is taken, one byte more is 431", "[http][parser]") {
    // "X: " value CR LF
    CHECK(error_status(quick(get("/", "X: " + std::string(8192 - 5, 'x') + "\r\n"))).empty());
    CHECK(error_status(quick(get("/", "X: " + std::string(8192 - 4, 'x') + "\r\n"))) == "431");
    CHECK(error_status(quick(get("/", std::string(9000, 'x') + ": a\r\n"))) == "431");
}

TEST_CASE("a target that is too long is 414, a method 501", "[http][parser]") {
    // "GET " target " HTTP/1.1" CR LF
    CHECK(error_status(quick(get("/" + std::string(8192 - 16, 'x'), ""))).empty());
    CHECK(error_status(quick(get("/" + std::string(8192, 'x'), ""))) == "414");
    CHECK(error_status(quick(std::string(9000, 'X') + " / HTTP/1.1\r\n\r\n")) == "501");
}

TEST_CASE("a head of 32 KiB or 100 fields is the most that is taken", "[http][parser]") {
    std::string lines;
    for (int i = 0; i < 10; ++i) lines += "X: " + std::string(4000, 'x') + "\r\n";
    CHECK(error_status(quick(get("/", lines))) == "431");
    lines.clear();
    for (int i = 0; i < 99; ++i) lines += "X: y\r\n";
    CHECK(error_status(quick(get("/", lines))).empty());
    CHECK(error_status(quick(get("/", lines + "X: y\r\n"))) == "431");
}

TEST_CASE("limits hold for trailers, too", "[http][parser]") {
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    std::string lines;
    for (int i = 0; i < 101; ++i) lines += "X: y\r\n";
    CHECK(error_status(quick(head + lines + "\r\n")) == "431");
    CHECK(error_status(quick(head + "X: " + std::string(9000, 'x') + "\r\n\r\n")) == "431");
}

TEST_CASE("a body over the limit is 413, announced or not", "[http][parser]") {
    limits bounds;
    bounds.body_bytes_max = 5;
    CHECK(request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n", bounds) == "error 413 body too large");
    CHECK(error_status(request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n",
                               bounds)) == "413");
    CHECK(error_status(request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n2\r\nab\r\n0\r\n\r\n",
                               bounds))
              .empty());
    CHECK(error_status(quick("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "1\r\nx\r\nffffffffffffffff\r\n")) == "413");
}

TEST_CASE("a client that trickles a close-delimited body is stopped at the limit", "[http][parser]") {
    limits bounds = limits::for_responses();
    bounds.body_bytes_max = 5;
    CHECK(response("HTTP/1.1 200 OK\r\n\r\nhello", ringlet::http::method::get, bounds) ==
          "head 200 'OK';body:hello;complete close;end");
    CHECK(response("HTTP/1.1 200 OK\r\n\r\nhello!", ringlet::http::method::get, bounds) ==
          "head 200 'OK';body:hello;error 502 body too large");
}

TEST_CASE("chunk framing that costs more than the data is refused in the end", "[http][parser]") {
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    std::string plain;
    std::string padded;
    for (int i = 0; i < 5000; ++i) {
        plain += "1\r\nx\r\n";
        padded += "1;" + std::string(100, 'e') + "\r\nx\r\n";
    }
    CHECK(error_status(quick(head + plain + "0\r\n\r\n")).empty());
    CHECK(error_status(quick(head + padded + "0\r\n\r\n")) == "400");
    CHECK(error_status(quick(head + "1;" + std::string(5000, 'e') + "\r\nx\r\n0\r\n\r\n")) == "400");
}
