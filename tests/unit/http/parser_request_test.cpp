// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "trace.hpp"

#include <string>
#include <vector>

using parser_trace::error_status;
using parser_trace::request;

namespace {

const std::string host = "Host: a\r\n";

std::string with_line(const std::string& line) { return "GET / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n\r\n"; }

struct refusal {
    const char* rule;  // section of RFC 9112 unless it says otherwise
    std::string bytes;
    const char* status;
};

struct acceptance {
    const char* rule;
    std::string bytes;
    std::string trace;
};

}  // namespace

TEST_CASE("a request without a body is head and complete, and the connection stays", "[http][parser]") {
    CHECK(request("GET /index.html HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n") ==
          "head GET /index.html 1.1 [Host=example.org] [Accept=*/*];complete keep;end");
}

TEST_CASE("pipelined requests come out one by one, in order", "[http][parser]") {
    CHECK(request("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
                  "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                  "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") ==
          "head GET /1 1.1 [Host=a];complete keep;"
          "head POST /2 1.1 [Host=a] [Content-Length=3];body:abc;complete keep;"
          "head GET /3 1.1 [Host=a] [Connection=close];complete close;end");
}

TEST_CASE("what RFC 9112 lets a client send is taken", "[http][parser]") {
    const std::vector<acceptance> cases{
        {"2.2 an empty line before the request line is ignored", "\r\nGET / HTTP/1.1\r\n" + host + "\r\n",
         "head GET / 1.1 [Host=a];complete keep;end"},
        {"2.3 HTTP/1.0 closes", "GET / HTTP/1.0\r\n\r\n", "head GET / 1.0;complete close;end"},
        {"9.3 unless it asks not to", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
         "head GET / 1.0 [Connection=Keep-Alive];complete keep;end"},
        {"9110 2.5 a later minor version is read as 1.1", "GET / HTTP/1.9\r\n" + host + "\r\n",
         "head GET / 1.1 [Host=a];complete keep;end"},
        {"3.2.2 absolute-form", "GET http://a/b?c HTTP/1.1\r\n" + host + "\r\n",
         "head GET http://a/b?c 1.1 [Host=a];complete keep;end"},
        {"3.2.3 authority-form", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
         "head CONNECT a:443 1.1 [Host=a:443];complete close;end"},
        {"3.2.4 asterisk-form", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n",
         "head OPTIONS * 1.1 [Host=a];complete keep;end"},
        {"5.1 no space after the colon", "GET / HTTP/1.1\r\nHost:a\r\n\r\n",
         "head GET / 1.1 [Host=a];complete keep;end"},
        {"5.1 space and tab around a value", "GET / HTTP/1.1\r\nHost: \t a\t \r\n\r\n",
         "head GET / 1.1 [Host=a];complete keep;end"},
        {"5 an empty value", with_line("X:"), "head GET / 1.1 [Host=a] [X=];complete keep;end"},
        {"9110 5.5 obs-text in a value", with_line("X: \xc3\xa4\xff"),
         "head GET / 1.1 [Host=a] [X=\xc3\xa4\xff];complete keep;end"},
        {"9110 5.1 every token character in a name", with_line("!#$%&'*+-.^_`|~0aZ: x"),
         "head GET / 1.1 [Host=a] [!#$%&'*+-.^_`|~0aZ=x];complete keep;end"},
        {"9110 7.2 Host with port", "GET / HTTP/1.1\r\nHost: a.b:80\r\n\r\n",
         "head GET / 1.1 [Host=a.b:80];complete keep;end"},
        {"9110 7.2 Host with IPv6", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
         "head GET / 1.1 [Host=[::1]:8080];complete keep;end"},
        {"9110 7.8 Upgrade may be ignored", with_line("Connection: Upgrade\r\nUpgrade: h2c"),
         "head GET / 1.1 [Host=a] [Connection=Upgrade] [Upgrade=h2c];complete keep;end"},
        {"9.6 close among other options", with_line("Connection: x, CLOSE ,y"),
         "head GET / 1.1 [Host=a] [Connection=x, CLOSE ,y];complete close;end"},
        {"what browsers leave unencoded", "GET /a{b}|c[d]^`e?\"<>\\ HTTP/1.1\r\n" + host + "\r\n",
         "head GET /a{b}|c[d]^`e?\"<>\\ 1.1 [Host=a];complete keep;end"},
        {"a method that only WebDAV knows", "PROPFIND / HTTP/1.1\r\n" + host + "\r\n",
         "head PROPFIND / 1.1 [Host=a];complete keep;end"},
    };
    for (const auto& c : cases) {
        INFO(c.rule);
        CHECK(request(c.bytes) == c.trace);
    }
}

TEST_CASE("what RFC 9112 has a server refuse is refused", "[http][parser]") {
    using namespace std::string_literals;
    const std::vector<refusal> cases{
        {"2.2 bare LF after the request line", "GET / HTTP/1.1\n" + host + "\r\n", "400"},
        {"2.2 bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", "400"},
        {"2.2 bare LF for the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400"},
        {"2.2 bare CR after the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", "400"},
        {"2.2 bare CR in a value", with_line("X: a\rb"), "400"},
        {"2.2 CR CR LF", with_line("X: a\r"), "400"},
        {"2.2 bare LF before the request line", "\nGET / HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"2.2 space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"},
        {"2.2 more empty lines than anybody sends", "\r\n\r\n\r\nGET / HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"2.3 lower-case protocol", "GET / http/1.1\r\n" + host + "\r\n", "400"},
        {"2.3 version without minor", "GET / HTTP/1\r\n" + host + "\r\n", "400"},
        {"2.3 version with two digits", "GET / HTTP/1.10\r\n" + host + "\r\n", "400"},
        {"2.3 version with leading zero", "GET / HTTP/01.1\r\n" + host + "\r\n", "400"},
        {"2.3 version with a comma", "GET / HTTP/1,1\r\n" + host + "\r\n", "400"},
        {"2.3 version with a sign", "GET / HTTP/+1.1\r\n" + host + "\r\n", "400"},
        {"2.3 another protocol", "GET / RTSP/1.1\r\n" + host + "\r\n", "400"},
        {"9110 15.6.6 HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", "505"},
        {"9110 15.6.6 HTTP/3.0", "GET / HTTP/3.0\r\n" + host + "\r\n", "505"},
        {"9110 15.6.6 HTTP/0.9 spelled out", "GET / HTTP/0.9\r\n" + host + "\r\n", "505"},
        {"9113 3.4 the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
        {"HTTP/0.9", "GET /\r\n", "400"},
        {"3 two spaces before the target", "GET  / HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3 two spaces behind the target", "GET /  HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3 space behind the version", "GET / HTTP/1.1 \r\n" + host + "\r\n", "400"},
        {"3 tab for space", "GET\t/ HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3 space in the target", "GET /a b HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3 leading space", " GET / HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.1 not a token", "GE(T / HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.1 unknown method", "BREW / HTTP/1.1\r\n" + host + "\r\n", "501"},
        {"3.1 methods are case-sensitive", "get / HTTP/1.1\r\n" + host + "\r\n", "501"},
        {"3.1 a method of RTSP", "DESCRIBE / HTTP/1.1\r\n" + host + "\r\n", "501"},
        {"3.2 relative target", "GET index.html HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.2 fragment", "GET /a#b HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.2 control character in target", "GET /\x01 HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.2 NUL in target", "GET /\0 HTTP/1.1\r\n"s + host + "\r\n", "400"},
        {"3.2 DEL in target", "GET /\x7f HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.2 non-ASCII in target", "GET /\xc3\xa4 HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.2.2 absolute-form without host", "GET http:///a HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.2.2 absolute-form with user info", "GET http://u@a/ HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.2.3 authority-form without CONNECT", "GET a:80 HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.2.3 CONNECT without port", "CONNECT a HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.2.3 CONNECT with a path", "CONNECT /a HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.2.4 * without OPTIONS", "GET * HTTP/1.1\r\n" + host + "\r\n", "400"},
        {"3.2 no Host", "GET / HTTP/1.1\r\n\r\n", "400"},
        {"3.2 two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"},
        {"3.2 two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n", "400"},
        {"3.2 empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400"},
        {"3.2 Host with user info", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"},
        {"3.2 Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
        {"3.2 Host with a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400"},
        {"3.2 Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
        {"3.2 Host with a bad port", "GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", "400"},
        {"3.2 Host with a large port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "400"},
        {"3.2 Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400"},
        {"5.1 space before the colon", with_line("X : a"), "400"},
        {"5.1 tab before the colon", with_line("X\t: a"), "400"},
        {"5.1 space in a name", with_line("X Y: a"), "400"},
        {"5.1 no colon", with_line("X"), "400"},
        {"5.1 empty name", with_line(": a"), "400"},
        {"5.1 not a token", with_line("X(: a"), "400"},
        {"5.1 NUL in a name", with_line("X\0: a"s), "400"},
        {"5.1 non-ASCII in a name", with_line("\xc3\xa4: a"), "400"},
        {"5.2 folded line", with_line("X: a\r\n b"), "400"},
        {"5.2 folded line with tab", with_line("X: a\r\n\tb"), "400"},
        {"5.2 folded line that is empty", with_line("X: a\r\n "), "400"},
        {"9110 5.5 NUL in a value", with_line("X: a\0b"s), "400"},
        {"9110 5.5 control character in a value", with_line("X: a\x1b[2J"), "400"},
        {"9110 5.5 DEL in a value", with_line("X: \x7f"), "400"},
        {"9110 5.5 vertical tab before a value", with_line("Transfer-Encoding:\vchunked"), "400"},
        {"TLS where HTTP is spoken", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, "400"},
        {"random bytes", "\xff\xfe\xfd", "400"},
    };
    for (const auto& c : cases) {
        INFO(c.rule);
        const auto trace = request(c.bytes);
        INFO(trace);
        CHECK(error_status(trace) == c.status);
    }
}

TEST_CASE("a request that ends in the middle is an error, one that never began is not", "[http][parser]") {
    CHECK(request("") == "end");
    CHECK(request("\r\n") == "end");
    CHECK(request("GET / HT") == "error 400 the header is cut off");
    CHECK(request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab") ==
          "head POST / 1.1 [Host=a] [Content-Length=3];body:ab;error 400 the body is cut off");
}

TEST_CASE("non-ASCII targets are taken when asked for", "[http][parser]") {
    ringlet::http::limits bounds;
    bounds.non_ascii_target = true;
    CHECK(request("GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", bounds) ==
          "head GET /\xc3\xa4 1.1 [Host=a];complete keep;end");
}

TEST_CASE("the parser tells whether the client waits for 100 Continue", "[http][parser]") {
    const auto expects = [](std::string_view text) {
        ringlet::http::request_parser parser;
        const auto r = parser.feed(std::as_bytes(std::span{text}));
        return r.what == ringlet::http::event::head && parser.expects_continue();
    };
    CHECK(expects("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n"));
    CHECK_FALSE(expects("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n"));
    CHECK_FALSE(expects("PUT / HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
    CHECK_FALSE(expects("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"));
}

TEST_CASE("an idle parser gives its memory back and goes on", "[http][parser]") {
    ringlet::http::request_parser parser;
    const std::string_view text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (int round = 0; round < 2; ++round) {
        CHECK(parser.idle());
        const auto head = parser.feed(std::as_bytes(std::span{text}));
        CHECK(head.what == ringlet::http::event::head);
        CHECK_FALSE(parser.idle());
        CHECK(parser.feed({}).what == ringlet::http::event::complete);
        CHECK(parser.idle());
        parser.release_memory();
    }
}

TEST_CASE("memory that a parser gave back knows nothing of what it held", "[http][parser]") {
    using ringlet::http::event;
    const auto feed = [](auto& parser, std::string_view text) { return parser.feed(std::as_bytes(std::span{text})); };
    ringlet::http::response_parser first;
    first.answers(ringlet::http::method::head);
    CHECK(feed(first, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\n\r\n").what == event::head);
    CHECK(first.feed({}).what == event::complete);
    first.release_memory();
    {
        ringlet::http::limits narrow;
        narrow.fields_max = 1;
        ringlet::http::request_parser refuses{narrow};
        CHECK(feed(refuses, "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n").what == event::error);
    }
    ringlet::http::request_parser request;
    CHECK(request.error().reason.empty());
    CHECK(feed(request, "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n").what == event::head);
    CHECK(request.head().fields.size() == 2);
    ringlet::http::response_parser response;  // to GET again
    CHECK(feed(response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").what == event::head);
    CHECK(response.head().fields.size() == 1);
    CHECK(response.body_bytes() == 5);
}
