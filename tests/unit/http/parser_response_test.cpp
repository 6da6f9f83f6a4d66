// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "trace.hpp"

#include <string>
#include <vector>

using parser_trace::error_status;
using parser_trace::response;
using ringlet::http::method;

TEST_CASE("responses end as RFC 9112 section 6.3 says", "[http][parser]") {
    struct row {
        const char* rule;
        method answered;
        std::string bytes;
        std::string trace;
    };
    const std::vector<row> cases{
        {"Content-Length", method::get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
         "head 200 'OK' [Content-Length=5];body:hello;complete keep;end"},
        {"chunked", method::get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
         "head 200 'OK' [Transfer-Encoding=chunked];body:abc;complete keep;end"},
        {"neither: until the close", method::get, "HTTP/1.1 200 OK\r\n\r\nabc",
         "head 200 'OK';body:abc;complete close;end"},
        {"an empty body until the close", method::get, "HTTP/1.1 200 OK\r\n\r\n", "head 200 'OK';complete close;end"},
        {"HEAD has no body", method::head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
         "head 200 'OK' [Content-Length=5];complete keep;end"},
        {"HEAD has no body, chunked neither", method::head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
         "head 200 'OK' [Transfer-Encoding=chunked];complete keep;end"},
        {"204 has no body", method::get, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
         "head 204 'No Content' [Content-Length=5];complete keep;end"},
        {"304 has no body", method::get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
         "head 304 'Not Modified' [Content-Length=5];complete keep;end"},
        {"1xx, then the final one", method::get,
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
         "head 100 'Continue';complete keep;head 103 'Early Hints' [Link=x];complete keep;"
         "head 200 'OK' [Content-Length=1];body:x;complete keep;end"},
        {"101 ends HTTP", method::get, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
         "head 101 'Switching Protocols' [Connection=Upgrade] [Upgrade=x];complete close;end"},
        {"2xx to CONNECT ends HTTP", method::connect, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
         "head 200 'OK' [Content-Length=5];complete close;end"},
        {"HTTP/1.0", method::get, "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
         "head 200 'OK' [Content-Length=1];body:x;complete close;end"},
        {"HTTP/1.0 keep-alive", method::get, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
         "head 200 'OK' [Connection=keep-alive] [Content-Length=1];body:x;complete keep;end"},
    };
    for (const auto& c : cases) {
        INFO(c.rule);
        CHECK(response(c.bytes, c.answered) == c.trace);
    }
}

TEST_CASE("what real servers send and cannot be misread is taken", "[http][parser]") {
    CHECK(response("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n") == "head 200 '' [Content-Length=0];complete keep;end");
    CHECK(response("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n") == "head 200 '' [Content-Length=0];complete keep;end");
    CHECK(response("HTTP/1.1 200 Alles klar \xc3\xa4\r\nContent-Length: 0\r\n\r\n") ==
          "head 200 'Alles klar \xc3\xa4' [Content-Length=0];complete keep;end");
    CHECK(response("HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n") ==
          "head 999 'No' [Content-Length=0];complete keep;end");
    CHECK(response("HTTP/1.1 200 OK\r\nX: \xe4\r\nContent-Length: 0\r\n\r\n") ==
          "head 200 'OK' [X=\xe4] [Content-Length=0];complete keep;end");
    const std::string long_policy(20000, 'p');
    ringlet::http::response_parser parser;
    const std::string text = "HTTP/1.1 200 OK\r\nPolicy: " + long_policy + "\r\nContent-Length: 0\r\n\r\n";
    CHECK(parser.feed(std::as_bytes(std::span{text})).what == ringlet::http::event::head);
}

TEST_CASE("a response whose end is in doubt is an error, not a guess", "[http][parser]") {
    using namespace std::string_literals;
    const std::vector<std::pair<const char*, std::string>> cases{
        {"cut off in the head", "HTTP/1.1 200 OK\r\nContent-"},
        {"cut off in a known length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"},
        {"cut off in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell"},
        {"cut off between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
        {"cut off before the last line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"},
        {"both", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
        {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
        {"+5", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"},
        {"coding not asked for", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
        {"chunked not last", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"},
        {"chunked in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
        {"folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"},
        {"NUL", "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"s},
        {"space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"},
        {"two digits", "HTTP/1.1 20 OK\r\n\r\n"},
        {"four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
        {"below 100", "HTTP/1.1 099 OK\r\n\r\n"},
        {"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n"},
        {"two spaces", "HTTP/1.1  200 OK\r\n\r\n"},
        {"not HTTP", "ICY 200 OK\r\n\r\n"},
        {"a leading empty line", "\r\nHTTP/1.1 200 OK\r\n\r\n"},
        {"control character in the reason", "HTTP/1.1 200 O\x1bK\r\n\r\n"},
    };
    for (const auto& [rule, bytes] : cases) {
        INFO(rule);
        const auto trace = response(bytes);
        INFO(trace);
        CHECK(error_status(trace) == "502");
    }
}

TEST_CASE("a server that closes without a byte has ended, not erred", "[http][parser]") {
    CHECK(response("") == "end");
}

TEST_CASE("a connection that changed its protocol says so and leaves the rest alone", "[http][parser]") {
    ringlet::http::response_parser parser;
    const std::string_view text = "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi";
    auto input = std::as_bytes(std::span{text});
    auto r = parser.feed(input);
    CHECK(r.what == ringlet::http::event::head);
    CHECK(r.consumed == text.size() - 4);
    CHECK(parser.upgraded());
    r = parser.feed(input.subspan(r.consumed));
    CHECK(r.what == ringlet::http::event::complete);
    CHECK(r.consumed == 0);
}
