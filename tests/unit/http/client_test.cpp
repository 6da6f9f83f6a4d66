// SPDX-License-Identifier: MIT
#include "net/support.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/io/system_calls.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>

using namespace ringlet;
using namespace ringlet_tests;
using http::client_connection;
using http::request_head;
using net::tcp_stream;

namespace {

request_head get_head(http::method m = http::method::get) {
    request_head head;
    head.method = m;
    head.target = "/x";
    head.fields.add("Host", "h");
    return head;
}

// Says its lines, one for each request; then closes.
task<> script(tcp_stream stream, std::vector<std::string> lines) {
    std::array<std::byte, 4096> buffer;
    for (const std::string& line : lines) {
        const std::size_t n = co_await stream.recv(buffer);
        if (n == 0) co_return;
        co_await stream.send_all(as_bytes(line));
    }
}

task<std::string> rest_of(client_connection& server) {
    std::string all;
    for (;;) {
        const std::span<const std::byte> part = co_await server.read_some();
        if (part.empty()) co_return all;
        all += as_text(part);
    }
}

task<std::string> ask(client_connection& server, http::method m = http::method::get) {
    const request_head question = get_head(m);
    http::response_head* const answer = co_await server.request(question);
    const unsigned status = http::to_number(answer->status);
    const std::string body = co_await rest_of(server);
    co_return std::to_string(status) + " " + body;
}

// Status and body of one answer, or what went wrong; "+" when another request may follow.
task<std::string> told(std::string line, http::method m) {
    auto [mine, theirs] = stream_pair();
    auto serving = spawn(script, std::move(theirs), std::vector<std::string>{line});
    client_connection server{std::move(mine)};
    std::string text;
    bool failed = false;
    try {
        text = co_await ask(server, m);
    } catch (const std::exception& error) {
        text = error.what();
        failed = true;
    }
    CHECK_FALSE((failed && server.reusable()));
    co_await serving.join();
    co_return text;
}

std::string told_by(std::string line, http::method m = http::method::get) {
    const leak_check leaks;
    return run(told, std::move(line), m);
}

const std::string two = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";

task<> reuse() {
    auto [mine, theirs] = stream_pair();
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\n";
    const std::string close = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    auto serving = spawn(script, std::move(theirs), std::vector<std::string>{two, chunked, close, ""});
    client_connection server{std::move(mine)};
    CHECK(server.reusable());
    for (const char* expected : {"200 ab", "200 cd"}) {
        const std::string text = co_await ask(server);
        CHECK(text == expected);
        CHECK(server.reusable());
    }
    const std::string last = co_await ask(server);
    CHECK(last == "404 ");
    CHECK_FALSE(server.reusable());
    server.stream().close();
    co_await serving.join();
}

task<> not_reusable(std::string answer, std::string later) {
    auto [mine, theirs] = stream_pair();
    client_connection server{std::move(mine)};
    auto asking = spawn(ask, std::ref(server), http::method::get);
    std::array<std::byte, 512> buffer;
    co_await theirs.recv(buffer);
    co_await theirs.send_all(as_bytes(answer));
    const std::string text = co_await asking.get();
    CHECK(text == "200 ab");
    if (later == "the end")
        theirs.close();
    else if (!later.empty())
        co_await theirs.send_all(as_bytes(later));
    CHECK_FALSE(server.reusable());
}

task<> mixed_reads() {
    auto [mine, theirs] = stream_pair();
    auto serving = spawn(script, std::move(theirs),
                         std::vector<std::string>{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"});
    client_connection server{std::move(mine)};
    const request_head question = get_head();
    co_await server.request(question);
    CHECK(server.body_bytes() == 10);
    CHECK_FALSE(server.reusable());
    std::array<std::byte, 3> three;
    std::string all;
    for (int i = 0; i < 2; ++i) {
        const std::size_t n = co_await server.read(three);
        all += as_text(std::span{three}.first(n));
    }
    CHECK(all == "012345");
    all += co_await rest_of(server);
    CHECK(all == "0123456789");
    const std::size_t n = co_await server.read(three);
    CHECK(n == 0);
    co_await serving.get();
}

// By splice_some where it can, at most `bytes_max` at a time.
task<std::string> spliced_rest_of(client_connection& server, std::size_t bytes_max, std::size_t& spliced) {
    std::array<int, 2> ends{};
    REQUIRE(io::sys::pipe2(ends.data(), O_CLOEXEC) == 0);
    const io::owned_fd out{ends[0]};
    const io::owned_fd in{ends[1]};
    std::string all;
    for (;;) {
        const std::size_t moved = co_await server.splice_some(in, bytes_max);
        if (moved > 0) {
            std::string part(moved, '\0');
            CHECK(io::sys::read(out.get(), part.data(), moved) == static_cast<ssize_t>(moved));
            all += part;
            spliced += moved;
            continue;
        }
        const std::span<const std::byte> part = co_await server.read_some();
        if (part.empty()) co_return all;
        all += as_text(part);
    }
}

task<> splices() {
    auto [mine, theirs] = stream_pair();
    std::string body(200'000, ' ');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
    const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + body;
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\n";
    const std::string cut = "HTTP/1.1 200 OK\r\nContent-Length: 200001\r\n\r\n" + body;
    auto serving = spawn(script, std::move(theirs), std::vector<std::string>{whole, chunked, cut});
    client_connection server{std::move(mine)};
    const request_head question = get_head();
    std::size_t spliced = 0;
    co_await server.request(question);
    const std::string first = co_await spliced_rest_of(server, 5000, spliced);
    CHECK(first == body);
    CHECK(spliced >= body.size() - 16 * 1024);
    CHECK(server.reusable());
    co_await server.request(question);
    const std::string second = co_await spliced_rest_of(server, 5000, spliced);
    CHECK(second == "cd");
    co_await server.request(question);
    const std::string end = co_await fate(spliced_rest_of(server, 5000, spliced));
    CHECK(contains(end, "within the body"));
    CHECK_FALSE(server.reusable());
    co_await serving.get();
}

task<> sends_a_body() {
    auto [mine, theirs] = stream_pair();
    client_connection server{std::move(mine)};
    auto serving = spawn(script, std::move(theirs), std::vector<std::string>{two});
    request_head question = get_head(http::method::post);
    question.fields.add("Content-Length", "4");
    co_await server.request(question, "body");
    const std::string text = co_await rest_of(server);
    CHECK(text == "ab");
    co_await serving.get();
    question.fields.add("X", "a\r\nb");
    const std::string refused = co_await fate(server.request(question));
    CHECK(contains(refused, "control character"));
}

task<> cancel_at(std::string answer) {
    auto [mine, theirs] = stream_pair();
    client_connection server{std::move(mine)};
    auto asking = spawn(ask, std::ref(server), http::method::get);
    std::array<std::byte, 512> buffer;
    co_await theirs.recv(buffer);
    co_await theirs.send_all(as_bytes(answer));
    co_await sleep(1ms);
    asking.cancel();
    const std::string end = co_await fate(asking.get());
    CHECK(end == "cancelled");
    CHECK_FALSE(server.reusable());
}

task<> closed_without_answer() {
    auto [mine, theirs] = stream_pair();
    client_connection server{std::move(mine)};
    co_await theirs.shutdown_send();
    const std::string end = co_await fate(ask(server));
    CHECK(contains(end, "without an answer"));
    CHECK_FALSE(server.reusable());
}

task<std::string> bounded_text(std::size_t bytes_max) {
    auto [mine, theirs] = stream_pair();
    auto serving = spawn(script, std::move(theirs), std::vector<std::string>{two});
    auto connection = std::make_unique<client_connection>(std::move(mine));
    const request_head question = get_head();
    http::response_head* const head = co_await connection->request(question);
    http::response answer{std::move(connection), head};
    const std::string text = co_await answer.text(bytes_max);
    co_await serving.get();
    co_return text;
}

}  // namespace

TEST_CASE("a response is read whatever delimits it", "[http][client][orderly]") {
    CHECK(told_by(two) == "200 ab");
    CHECK(told_by("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n0\r\nT: t\r\n\r\n") ==
          "200 abc");
    CHECK(told_by("HTTP/1.1 200 OK\r\n\r\nup to the end") == "200 up to the end");
    CHECK(told_by("HTTP/1.0 200 OK\r\n\r\n") == "200 ");
    CHECK(told_by("HTTP/1.1 204 No Content\r\n\r\n") == "204 ");
    CHECK(told_by("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n") == "304 ");
    CHECK(told_by("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", http::method::head) == "200 ");
}

TEST_CASE("interim responses are passed over, but not for ever", "[http][client][orderly]") {
    CHECK(told_by("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + two) == "200 ab");
    std::string endless;
    for (int i = 0; i < 100; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
    CHECK(contains(told_by(endless + two), "without end"));
}

TEST_CASE("a response that is cut is an error", "[http][client][orderly]") {
    CHECK(contains(told_by("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"), "within the body"));
    CHECK(contains(told_by("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"), "within the body"));
    CHECK(
        contains(told_by("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"), "within the body"));
    CHECK(contains(told_by("HTTP/1.1 200 OK\r\nContent-Le"), "without an answer"));
    const leak_check leaks;
    run(closed_without_answer);
}

TEST_CASE("a malformed response is an error", "[http][client][orderly]") {
    for (const char* answer :
         {"nonsense\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"}) {
        INFO(answer);
        CHECK(contains(told_by(answer), "malformed response: "));
    }
}

TEST_CASE("a connection carries one request after the other", "[http][client][orderly]") {
    const leak_check leaks;
    run(reuse);
}

TEST_CASE("what nobody asked for is not taken for the next response", "[http][client]") {
    const leak_check leaks;
    run(not_reusable, two + "HTTP/1.1 200 OK\r\n", "");
    run(not_reusable, two, "HTTP/1.1 408 Request Timeout\r\n\r\n");
    run(not_reusable, two, "the end");
    run(not_reusable, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab", "");
}

TEST_CASE("both ways of reading a body may be mixed", "[http][client][orderly]") {
    const leak_check leaks;
    run(mixed_reads);
}

TEST_CASE("what a socket holds of a body may be moved into a pipe", "[http][client][orderly]") {
    const leak_check leaks;
    run(splices);
}
TEST_CASE("a request may have a body, and no forged field", "[http][client][orderly]") {
    const leak_check leaks;
    run(sends_a_body);
}

TEST_CASE("a request is cancelled wherever it waits", "[http][client]") {
    const leak_check leaks;
    run(cancel_at, "");
    run(cancel_at, "HTTP/1.1 200 OK\r\n");
    run(cancel_at, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
}

TEST_CASE("a body is read into memory only up to a bound", "[http][client][orderly]") {
    CHECK(run(bounded_text, 2) == "ab");
    CHECK_THROWS_AS(run(bounded_text, 1), std::length_error);
}
