// SPDX-License-Identifier: MIT
#include "net/support.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/http/server_connection.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/testing/virtual_loop.hpp>

#include <array>
#include <cerrno>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace ringlet;
using namespace ringlet_tests;
using http::request_head;
using http::response_head;
using http::server_connection;
using http::server_limits;
using net::tcp_stream;
using testing::scripted_engine;

namespace {

// Ours, with the time of day taken out.
std::string undated(std::string text) {
    for (auto at = text.find("Date: "); at != text.npos; at = text.find("Date: ", at))
        text.erase(at, text.find("\r\n", at) + 2 - at);
    return text;
}

response_head head_of(http::status s) {
    response_head head;
    head.status = s;
    return head;
}

std::string answer_of(std::string_view body, std::string_view more = "") {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string{more} + "\r\n" +
           std::string{body};
}

constexpr std::string_view ask = "GET /one HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view post = "POST /p HTTP/1.1\r\nHost: h\r\n";

// The handlers. Each ends as one in an application would.

// Answers with the target; leaves bodies unread.
task<> name_target(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    while (const request_head* request = co_await client.next_request())
        co_await client.respond(head_of(http::status::ok), request->target);
    co_await client.close();
}

// The same as files are sent: length first, then the body.
task<> stream_target(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    while ([[maybe_unused]] const request_head* request = co_await client.next_request()) {
        client.begin_response(head_of(http::status::ok), request->target.size());
        co_await client.write(as_bytes(request->target));
        client.end_response();
    }
    co_await client.close();
}

// Answers with the body, in parts of unknown number.
task<> echo_body(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    while ([[maybe_unused]] const request_head* request = co_await client.next_request()) {
        std::string all;
        std::array<std::byte, 7> part;
        while (const std::size_t n = co_await client.read_body(part)) all += as_text(std::span{part}.first(n));
        client.begin_response(head_of(http::status::ok), std::nullopt);
        co_await client.write(as_bytes(all));
        client.end_response();
    }
    co_await client.close();
}

using handler = task<>(tcp_stream, server_limits);

// What a client reads that sends `input` and then closes its half.
task<std::string> exchange(handler* serve, std::string_view input, server_limits limits = server_limits()) {
    auto [server, client] = stream_pair();
    auto serving = spawn(serve, std::move(server), limits);
    co_await client.send_all(as_bytes(input));
    co_await client.shutdown_send();
    const std::string output = co_await read_to_end(client);
    co_await serving.get();
    co_return undated(output);
}

std::string said(handler* serve, std::string_view input, server_limits limits = server_limits()) {
    const leak_check leaks;
    return run(exchange, serve, input, limits);
}

// How a handler ends whose client sends `input` and then does nothing more, and what it was sent.
task<std::string> stall(handler* serve, std::string_view input, server_limits limits) {
    auto [server, client] = stream_pair();
    auto serving = spawn(serve, std::move(server), limits);
    co_await client.send_all(as_bytes(input));
    const std::string end = co_await fate(serving.get());
    const std::string output = co_await read_to_end(client);
    co_return undated(output) + end;
}

// A socket that keeps the bounds between sends.
std::pair<tcp_stream, tcp_stream> packet_pair() {
    std::array<int, 2> fds{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) == 0);
    return {tcp_stream{io::owned_fd{fds[0]}}, tcp_stream{io::owned_fd{fds[1]}}};
}

task<std::string> first_packet(handler* serve, std::string input) {
    auto [server, client] = packet_pair();
    auto serving = spawn(serve, std::move(server), server_limits());
    co_await client.send_all(as_bytes(input));
    std::vector<std::byte> buffer(128 * 1024);
    const std::size_t n = co_await client.recv(buffer);
    co_await client.shutdown_send();
    co_await serving.get();
    co_return undated(std::string{as_text(std::span{buffer}.first(n))});
}

task<> cancel_at(handler* serve, std::string_view input, bool reads_nothing) {
    auto [server, client] = stream_pair();
    auto serving = spawn(serve, std::move(server), server_limits());
    co_await client.send_all(as_bytes(input));
    if (!reads_nothing) {
        std::array<std::byte, 1> first;
        co_await client.recv(first);
    }
    co_await sleep(2ms);
    serving.cancel();
    const std::string end = co_await fate(serving.get());
    CHECK(end == "cancelled");
}

task<> send_much(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    co_await client.next_request();
    constexpr std::size_t size = 2 << 20;
    const std::vector<std::byte> body(size, std::byte{'x'});
    client.begin_response(head_of(http::status::ok), size);
    co_await client.write(body);
    client.end_response();
    co_await client.close();
}

// In memory, or a hole, which is read.
io::owned_fd file_of(std::size_t bytes, bool in_memory) {
    io::owned_fd file{::memfd_create("body", MFD_CLOEXEC)};
    const auto size = static_cast<off_t>(bytes);
    REQUIRE((in_memory ? ::posix_fallocate(file.get(), 0, size) : ::ftruncate(file.get(), size)) == 0);
    return file;
}

task<> send_file(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    co_await client.next_request();
    constexpr std::size_t size = 2 << 20;
    const io::owned_fd file = file_of(size, true);
    client.begin_response(head_of(http::status::ok), size);
    co_await client.write_file(file, 0, size);
    client.end_response();
    co_await client.close();
}

task<> write_whole_file(server_connection& client, io::fd_ref file, std::size_t size) {
    co_await client.next_request();
    client.begin_response(head_of(http::status::ok), size);
    co_await client.write_file(file, 0, size);
}

// What is said to have been sent of a file, when its sending is cancelled.
task<std::uint64_t> cancel_a_file(bool in_memory) {
    auto [server, client] = stream_pair();
    constexpr std::size_t size = 8 << 20;
    const io::owned_fd file = file_of(size, in_memory);
    server_connection connection{std::move(server)};
    auto serving = spawn(write_whole_file, std::ref(connection), io::fd_ref{file}, size);
    co_await client.send_all(as_bytes(ask));
    std::vector<std::byte> part(4096);
    std::uint64_t came = 0;
    while (came < 2000) came += co_await client.recv(part);  // more than the head
    serving.cancel();
    co_await serving.join();
    const std::uint64_t said = connection.body_bytes_sent();
    connection.stream().close();
    while (const std::size_t n = co_await client.recv(part)) came += n;
    CHECK(said > 0);
    CHECK(said < came);          // the head came, too
    CHECK(came - said < 10000);  // and no other bytes
    co_return said;
}

task<std::size_t> read_slowly(handler* serve, server_limits limits) {
    auto [server, client] = stream_pair();
    auto serving = spawn(serve, std::move(server), limits);
    co_await client.send_all(as_bytes(ask));
    co_await client.shutdown_send();
    std::size_t total = 0;
    std::vector<std::byte> part(32 * 1024);
    for (;;) {
        const std::size_t n = co_await client.recv(part);
        if (n == 0) break;
        total += n;
        co_await sleep(2ms);
    }
    co_await serving.get();
    co_return total;
}

// Sends `piece` again and again until the server ends.
task<std::string> drip(handler* serve, std::string_view input, std::string_view piece, server_limits limits) {
    auto [server, client] = stream_pair();
    auto serving = spawn(serve, std::move(server), limits);
    co_await client.send_all(as_bytes(input));
    std::string output;
    std::array<std::byte, 4096> buffer;
    for (;;) {
        [[maybe_unused]] const auto sent = co_await as_result(client.send_all(as_bytes(piece)));  // it may have ended
        const auto got = co_await as_result(with_timeout(2ms, client.recv(buffer)));
        if (got.error() == std::errc::timed_out) continue;
        if (!got || *got == 0) break;
        output += as_text(std::span{buffer}.first(*got));
    }
    client.close();
    co_await serving.get();
    co_return undated(output);
}

task<> drain_while_idle(bool served) {
    auto [server, client] = stream_pair();
    net::drain stopping;
    server_limits limits;
    limits.until = &stopping;
    auto serving = spawn(name_target, std::move(server), limits);
    if (served) {
        std::array<std::byte, 512> buffer;
        co_await client.send_all(as_bytes(ask));
        for (std::string answer; !answer.ends_with("/one");) {
            const std::size_t n = co_await client.recv(buffer);
            answer += as_text(std::span{buffer}.first(n));
        }
    }
    co_await sleep(20ms);
    stopping.begin();
    co_await with_timeout(1s, serving.get());  // the client has not closed its end
    const std::string rest = co_await read_to_end(client);
    CHECK(rest == "");
}

task<> answer_late(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    while ([[maybe_unused]] const request_head* request = co_await client.next_request()) {
        limits.until->begin();
        co_await client.respond(head_of(http::status::ok), "late");
    }
    co_await client.close();
}

task<std::string> drain_in_a_request() {
    net::drain stopping;
    server_limits limits;
    limits.until = &stopping;
    co_return co_await exchange(answer_late, ask, limits);
}

task<> answer_shorter(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    while ([[maybe_unused]] const request_head* request = co_await client.next_request()) {
        client.begin_response(head_of(http::status::ok), 10);
        co_await client.write(as_bytes("12345"));
        client.end_response();
    }
    co_await client.close();
}

task<> answer_longer(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    co_await client.next_request();
    client.begin_response(head_of(http::status::ok), 3);
    co_await client.write(as_bytes("12345"));
}

task<> answer_without_body(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    while ([[maybe_unused]] const request_head* request = co_await client.next_request()) {
        const auto s = request->target == "/304" ? http::status::not_modified : http::status::no_content;
        std::optional<std::uint64_t> body_bytes;
        if (request->target == "/304") body_bytes = 5;
        client.begin_response(head_of(s), body_bytes);
        co_await client.write(as_bytes("12345"));
        client.end_response();
    }
    co_await client.close();
}

task<> answer_before_reading(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    while ([[maybe_unused]] const request_head* request = co_await client.next_request()) {
        client.begin_response(head_of(http::status::ok), 4);
        std::array<std::byte, 16> body;
        while (const std::size_t n = co_await client.read_body(body)) co_await client.write(std::span{body}.first(n));
        client.end_response();
    }
    co_await client.close();
}

// What became of each request, as a log would say it.
task<std::string> log_of(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    std::string log;
    const auto note = [&](const request_head& head) {
        log += head.method_text + " " + head.target + " " + std::to_string(http::to_number(*client.answered())) + " " +
               std::to_string(client.body_bytes_sent()) + "\n";
    };
    while (const request_head* request = co_await client.next_request()) {
        CHECK(!client.answered());
        CHECK(client.refused() == nullptr);
        co_await client.respond(head_of(http::status::ok), request->target);
        note(*request);
    }
    if (const request_head* refused = client.refused()) note(*refused);
    co_await client.close();
    co_return log;
}

task<std::string> logged(std::string_view input, server_limits limits) {
    auto [server, client] = stream_pair();
    auto serving = spawn(log_of, std::move(server), limits);
    co_await client.send_all(as_bytes(input));
    if (limits.head_time > 1s) co_await client.shutdown_send();
    const std::string output = co_await read_to_end(client);
    client.close();
    co_return co_await serving.get();
}

// A client that asks and then stands still, under virtual time. Sends go to a real socket of small buffers; each
// cancellation of one comes too late for a few bytes, for which the kernel finds room although nothing is read.
class still_reader {
public:
    explicit still_reader(const tcp_stream& server) : fd_{server.socket().get()} { make_room(0); }

    bool operator()(scripted_engine& e, const io_uring_sqe& sqe) {
        if (sqe.opcode == IORING_OP_RECV) {
            e.complete_with_buffer(sqe.user_data, ask);
        } else if (sqe.opcode == IORING_OP_SENDMSG) {
            message_ = reinterpret_cast<const msghdr*>(sqe.addr);
            send(e, sqe.user_data);
        } else if (sqe.opcode == IORING_OP_ASYNC_CANCEL && e.pending() > 1) {
            make_room(8192);
            e.complete(sqe.user_data, 0);
            if (!send(e, sqe.addr)) e.complete(sqe.addr, -ECANCELED);
        } else {
            return false;
        }
        return true;
    }
    std::size_t sent = 0;

private:
    void make_room(int more) {
        room_ += more;
        REQUIRE(::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &room_, sizeof room_) == 0);
    }
    // False where there is no room: it stays pending.
    bool send(scripted_engine& e, std::uint64_t user_data) {
        const auto n = ::sendmsg(fd_, message_, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) return false;
        sent += static_cast<std::size_t>(n);
        e.complete(user_data, static_cast<std::int32_t>(n));
        return true;
    }

    int fd_;
    int room_ = 8192;
    const msghdr* message_ = nullptr;
};

task<> forge(tcp_stream stream, server_limits limits) {
    server_connection client{std::move(stream), limits};
    co_await client.next_request();
    response_head head = head_of(http::status::ok);
    head.fields.add("X", "a\r\nSet-Cookie: b");
    co_await client.respond(std::move(head), "");
}

}  // namespace

TEST_CASE("requests are answered in order, however they are cut", "[http][server]") {
    const std::string input = std::string{ask} + "HEAD /two HTTP/1.1\r\nHost: h\r\n\r\nGET /3 HTTP/1.0\r\n\r\n";
    const std::string expected =
        answer_of("/one") + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + answer_of("/3", "Connection: close\r\n");
    CHECK(said(name_target, input) == expected);
    CHECK(said(stream_target, input) == expected);
}

TEST_CASE("answers to pipelined requests go out together", "[http][server]") {
    const std::string three = std::string{ask} + std::string{ask} + std::string{ask};
    const std::string expected = answer_of("/one") + answer_of("/one") + answer_of("/one");
    CHECK(run(first_packet, name_target, three) == expected);
    CHECK(run(first_packet, stream_target, three) == expected);
}

TEST_CASE("bodies come whole, by length and in chunks", "[http][server]") {
    const std::string expected =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n";
    const std::string by_length = std::string{post} + "Content-Length: 16\r\n\r\n0123456789abcdef";
    const std::string in_chunks =
        std::string{post} + "Transfer-Encoding: chunked\r\n\r\n9;a=b\r\n012345678\r\n7\r\n9abcdef\r\n0\r\nT: x\r\n\r\n";
    CHECK(said(echo_body, by_length) == expected);
    CHECK(said(echo_body, in_chunks) == expected);
    CHECK(said(echo_body, by_length + in_chunks + by_length) == expected + expected + expected);
    // HTTP/1.0 knows no chunks: the end is the end of the connection.
    CHECK(said(echo_body, "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc" +
                              std::string{ask}) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
}

TEST_CASE("a client that waits for it is told to send its body", "[http][server]") {
    const std::string expecting = std::string{post} + "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    CHECK(said(echo_body, expecting + "body") ==
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n");
    // Not when the answer comes without: whether the body follows cannot be known then.
    CHECK(said(name_target, expecting) == answer_of("/p", "Connection: close\r\n"));
    // An interim answer within a final one would be taken for its body.
    CHECK(said(answer_before_reading, expecting + "body") == answer_of("body", "Connection: close\r\n"));
}

TEST_CASE("what a handler leaves of a body is dropped, within bounds", "[http][server]") {
    server_limits limits;
    limits.unread_body_max = 1000;
    const std::string body(1000, 'x');
    const std::string fits = std::string{post} + "Content-Length: 1000\r\n\r\n" + body;
    CHECK(said(name_target, fits + std::string{ask}, limits) == answer_of("/p") + answer_of("/one"));
    const std::string large = std::string{post} + "Content-Length: 1001\r\n\r\n" + body + "x";
    CHECK(said(name_target, large + std::string{ask}, limits) == answer_of("/p", "Connection: close\r\n"));
    std::string endless = std::string{post} + "Transfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 8; ++i) endless += "3e8\r\n" + body + "\r\n";
    CHECK(said(name_target, endless, limits) == answer_of("/p"));
    CHECK(said(name_target, std::string{post} + "Transfer-Encoding: chunked\r\n\r\nx\r\n" + std::string{ask}, limits) ==
          answer_of("/p"));
}

TEST_CASE("a body that nobody wants is read before the answer", "[http][server]") {
    server_limits limits;
    limits.wants_bodies = false;
    limits.unread_body_max = 1000;
    const std::string chunked = std::string{post} + "Transfer-Encoding: chunked\r\n\r\n";
    const std::string next{ask};
    const std::string body(1000, 'x');
    CHECK(said(name_target, std::string{post} + "Content-Length: 1000\r\n\r\n" + body + next, limits) ==
          answer_of("/p") + answer_of("/one"));
    CHECK(said(name_target, chunked + "3e8\r\n" + body + "\r\n0\r\nX: y\r\n\r\n" + next, limits) ==
          answer_of("/p") + answer_of("/one"));
    // Too long, or not asked for: it stays, and the connection ends.
    const std::string last = answer_of("/p", "Connection: close\r\n");
    CHECK(said(name_target, std::string{post} + "Content-Length: 1001\r\n\r\n" + body + "x" + next, limits) == last);
    CHECK(said(name_target, chunked + "3e9\r\n" + body + "x\r\n0\r\n\r\n" + next, limits) == last);
    CHECK(said(name_target, std::string{post} + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", limits) == last);
    // Malformed or cut: it is refused, behind the answers before it.
    for (const std::string_view bad : {"x\r\n", "1\r\nab\r\n0\r\n\r\n", "1\nx\r\n0\r\n\r\n", "5\r\nab"}) {
        const std::string output = said(name_target, next + chunked + std::string{bad}, limits);
        CHECK(output.starts_with(answer_of("/one") + "HTTP/1.1 400 Bad Request\r\n"));
        CHECK(contains(output, "\r\nConnection: close\r\n"));
        CHECK(output.rfind("HTTP/1.1 200 ") == 0);
    }
    const std::string to_head = said(name_target, "HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab", limits);
    CHECK(to_head.starts_with("HTTP/1.1 400 "));
    CHECK(to_head.ends_with("\r\n\r\n"));
    CHECK(run(logged, chunked + "x\r\n", limits).starts_with("POST /p 400 "));
    limits.head_time = 20ms;
    CHECK(run(drip, name_target, std::string{post} + "Content-Length: 900\r\n\r\n", "x", limits)
              .starts_with("HTTP/1.1 408 "));
}

TEST_CASE("malformed requests are refused behind the answers before them", "[http][server]") {
    const auto refused = [](std::string_view request) {
        const std::string output = said(name_target, std::string{ask} + std::string{request});
        const std::string before = answer_of("/one") + "HTTP/1.1 ";
        CHECK(output.starts_with(before));
        CHECK(contains(output, "\r\nConnection: close\r\n"));
        return output.substr(std::min(before.size(), output.size()), 3);
    };
    CHECK(refused("GET / HTTP/1.1\r\n\r\n") == "400");
    CHECK(refused("BREW / HTTP/1.1\r\nHost: h\r\n\r\n") == "501");
    CHECK(refused("GET / HTTP/3.0\r\nHost: h\r\n\r\n") == "505");
    CHECK(refused("GET /" + std::string(9000, 'a')) == "414");
    CHECK(refused("GET / HTTP/1.1\r\nX: " + std::string(9000, 'a')) == "431");
    CHECK(refused(std::string{post} + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") == "400");
    CHECK(refused("GET / HT") == "400");  // and then the end
    CHECK(refused("HEAD / HTTP/1.1\r\n\r\n") == "400");
}

TEST_CASE("a head that takes too long is answered and ends", "[http][server]") {
    server_limits limits;
    limits.head_time = 20ms;
    for (const std::string_view part : {"G", "GET / HTTP/1.1\r\nHost: h\r\n"}) {
        const std::string output = run(drip, name_target, part, "", limits);
        CHECK(output.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
    }
    // The limit is for the whole: single bytes do not extend it.
    const std::string dripped = run(drip, name_target, "GET /", "a", limits);
    CHECK(dripped.starts_with("HTTP/1.1 408 "));
}

TEST_CASE("an idle connection ends without a word", "[http][server][orderly]") {
    server_limits limits;
    limits.idle_time = 20ms;
    CHECK(run(stall, name_target, "", limits) == "done");
    CHECK(run(drip, name_target, ask, "", limits) == answer_of("/one"));
    // Empty lines, which are allowed before a request, are none.
    CHECK(run(drip, name_target, "", "\r\n", limits) == "");
}

TEST_CASE("a body that stops coming ends the connection", "[http][server]") {
    server_limits limits;
    limits.stall_time = 20ms;
    limits.head_time = 50ms;
    CHECK(contains(run(stall, echo_body, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab", limits),
                   "request body"));
    // One that nobody reads, too, even when it keeps dripping.
    CHECK(run(drip, name_target, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n", "x", limits) ==
          answer_of("/p"));
}

TEST_CASE("a reader that stands still is cut, a slow one is not", "[http][server]") {
    const leak_check leaks;
    server_limits limits;
    limits.stall_time = 20ms;
    const std::string end = run(stall, send_much, ask, limits);
    CHECK(end.size() < 2u << 20);
    CHECK(contains(end, "send"));
    limits.stall_time = 60ms;  // it takes longer in all
    const std::size_t total = run(read_slowly, send_much, limits);
    CHECK(total > 2u << 20);
}

TEST_CASE("a file is sent to slow readers, and not to those that stand still", "[http][server]") {
    const leak_check leaks;
    server_limits limits;
    limits.stall_time = 20ms;
    CHECK(contains(run(stall, send_file, ask, limits), "send"));
    limits.stall_time = 60ms;
    const std::size_t total = run(read_slowly, send_file, limits);
    CHECK(total > 2u << 20);
}

TEST_CASE("of a file whose sending is cancelled, what was sent is told", "[http][server]") {
    const leak_check leaks;
    for (const bool in_memory : {true, false}) CHECK(run(cancel_a_file, in_memory) < 8u << 20);
}

TEST_CASE("a reader that stands still is cut after at most twice the limit, whatever the kernel takes",
          "[http][server]") {
    checked_loop loop;
    auto [server, client] = stream_pair();
    still_reader reader{server};
    loop.engine().set_script(std::ref(reader));
    server_limits limits;
    limits.stall_time = 30s;
    const std::string end = loop.run(fate(send_much(std::move(server), limits)));
    CHECK(contains(end, "send"));
    CHECK(reader.sent > 8192);  // more after the first limit
    CHECK(loop.now() == 60s);
}

TEST_CASE("it is told what was refused and how much of an answer was sent", "[http][server]") {
    const leak_check leaks;
    server_limits limits;
    const auto log = [&](std::string_view input) { return run(logged, input, limits); };
    CHECK(log(ask) == "GET /one 200 4\n");
    CHECK(log(std::string{ask} + "GET /bad HTTP/1.1\r\n\r\n") == "GET /one 200 4\nGET /bad 400 25\n");
    CHECK(log("GET /a b HTTP/1.1\r\n") == "GET /a 400 40\n");
    CHECK(log("\x16\x03\x01") == "  400 54\n");
    CHECK(log("GET /" + std::string(9000, 'a')).starts_with("GET /aaaa"));
    CHECK(log("GET /x HTTP/3.0\r\n") == "GET /x 505 59\n");
    CHECK(log("") == "");
    limits.head_time = 20ms;
    CHECK(log("GET /slow HTTP/1.1\r\n") == "GET /slow 408 55\n");
}

TEST_CASE("a body cut off fails the read", "[http][server][orderly]") {
    const std::string truncated = std::string{post} + "Content-Length: 9\r\n\r\nabc";
    const auto end = [](std::string_view input) {
        const leak_check leaks;
        return run(
            [](std::string_view text) -> task<std::string> { co_return co_await fate(exchange(echo_body, text)); },
            input);
    };
    CHECK(contains(end(truncated), "in the middle of a message"));
    CHECK(contains(end(std::string{post} + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "chunk"));
}

TEST_CASE("an answer ends as it was announced, or the connection does", "[http][server]") {
    CHECK(said(answer_shorter, std::string{ask} + std::string{ask}) ==
          "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
    CHECK(contains(run(stall, answer_longer, ask, server_limits()), "longer than was announced"));
    CHECK(contains(run(stall, forge, ask, server_limits()), "control character"));
    CHECK(said(answer_without_body, "GET /304 HTTP/1.1\r\nHost: h\r\n\r\n" + std::string{ask}) ==
          "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
}

TEST_CASE("a connection is cancelled wherever it waits", "[http][server]") {
    const leak_check leaks;
    run(cancel_at, name_target, "", true);                                                             // idle
    run(cancel_at, name_target, "GET /", true);                                                        // within a head
    run(cancel_at, echo_body, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", true);     // within a body
    run(cancel_at, name_target, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", false);  // dropping one
    run(cancel_at, send_much, ask, false);                                                             // sending
    run(cancel_at, name_target, "nonsense\r\n\r\n", false);                                            // closing
}

TEST_CASE("a drain ends an idle connection at once and tells a busy one", "[http][server]") {
    const leak_check leaks;
    run(drain_while_idle, false);
    run(drain_while_idle, true);
    CHECK(run(drain_in_a_request) == answer_of("late", "Connection: close\r\n"));
}
