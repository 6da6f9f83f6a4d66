// SPDX-License-Identifier: MIT
#include "certificates.hpp"
#include "scenario.hpp"
#include "table.hpp"
#include <ringlet/fs/file.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/http/server_connection.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/tcp_listener.hpp>

#include <fmt/format.h>

#include <array>
#include <functional>
#include <string>

#include <fcntl.h>

namespace ringlet_tests {
namespace {

namespace fs = ringlet::fs;
namespace http = ringlet::http;

constexpr std::size_t body_bytes = 20'000;

http::response_head ok() {
    http::response_head head;
    head.fields.add("Content-Type", "text/plain");
    return head;
}

task<std::string> whole_body(http::server_connection& from) {
    std::array<std::byte, 64> block{};
    std::string all;
    for (;;) {
        const std::size_t n = co_await from.read_body(block);
        if (n == 0) co_return all;
        all += as_text(std::span{block}.first(n));
    }
}

// Answers each request in another way, until the connection is over. Bodies are echoed by `respond`; /large is sent in
// parts, as many bytes as were announced; /chunked in parts without a length.
task<> answer_all(http::server_connection connection) {
    while (http::request_head* const request = co_await connection.next_request()) {
        const std::string target = request->target;
        if (target == "/large" || target == "/chunked") {
            const std::string half(body_bytes / 2, 'x');
            std::optional<std::uint64_t> announced;
            if (target == "/large") announced = body_bytes;
            connection.begin_response(ok(), announced);
            co_await connection.write(as_bytes(half));
            co_await ringlet::sleep(1ms);
            co_await connection.write(as_bytes(half));
            connection.end_response();
        } else if (target == "/file") {
            auto file = co_await fs::open("/large", fs::open_options::read());
            const http::prepared_head head{ok(), body_bytes};
            connection.begin_response(head);
            co_await connection.write_file(file.descriptor(), 0, body_bytes / 2);
            co_await connection.write_file(file.descriptor(), body_bytes / 2, body_bytes - body_bytes / 2);
            connection.end_response();
        } else if (target == "/prepared") {
            const std::string body(body_bytes, 'x');
            const http::prepared_head head{ok(), body_bytes};
            co_await connection.respond(head, body);
        } else {
            const std::string body = co_await whole_body(connection);
            co_await connection.respond(ok(), body);
        }
    }
    co_await connection.close();
}

task<> serve_one(net::tcp_listener& listener) {
    net::tcp_stream stream = co_await listener.accept();
    co_await answer_all(http::server_connection{std::move(stream)});
}

http::request_head request_for(std::string target) {
    http::request_head head;
    head.target = std::move(target);
    head.fields.add("Host", "localhost");
    return head;
}

task<std::size_t> read_rest(http::client_connection& from) {
    std::array<std::byte, 3000> block{};
    for (std::size_t all = 0;;) {
        const std::size_t n = co_await from.read(block);
        if (n == 0) co_return all;
        all += n;
    }
}

// --- the server's side, asked by a client of plain bytes ---

task<> ask(net::tcp_stream stream, std::string early, std::string late, std::string_view expected_end) {
    co_await send_text(stream, early);
    co_await send_text_later(stream, late);
    co_await stream.shutdown_send();
    const std::string answers = co_await receive_exactly(stream, 3 * body_bytes);
    // An error of the server's may end the connection early, by another answer, too.
    if (!answers.ends_with(expected_end))
        throw std::system_error{make_error_code(net::errc::unexpected_end), "another answer"};
}

task<> served(std::string early, std::string late, std::string_view expected_end,
              http::server_limits limits = http::server_limits()) {
    connection both = co_await connected();
    co_await ringlet::when_all(answer_all(http::server_connection{std::move(both.near), limits}),
                               ask(std::move(both.far), std::move(early), std::move(late), expected_end));
}

const std::string get_one = "GET /one HTTP/1.1\r\nHost: a\r\n\r\n";

task<> takes_requests(testing::simulation&) {
    return served(get_one + "GET /two HTT", "P/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n", "");
}

task<> waits_for_requests_in_vain(testing::simulation& world) {
    connection both = co_await connected();
    http::server_connection connection{std::move(both.near)};
    const auto early = co_await ringlet::as_result(ringlet::with_timeout(3ms, connection.next_request()));
    if (early) co_return;  // a connection whose errors are those of peers that go is over
    expect_error(early, std::errc::timed_out, "a wait for nothing ended before its time limit");
    const auto before = world.now();
    const bool over = co_await connection.next_request() == nullptr;
    expect(over, "a request that nobody sent");
    if (world.now() - before < 29s) throw std::system_error{make_error_code(std::errc::timed_out), "ended early"};
    co_await connection.close();
}

task<> drops_unwanted_bodies() {
    http::server_limits limits;
    limits.wants_bodies = false;
    const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe";
    co_await served(post, "llo\r\n0\r\n\r\n" + get_one, "\r\n\r\n", limits);
    co_await served(post, "llo\n", "\n", limits);
}

task<> next_requests(testing::simulation& world) {
    co_await takes_requests(world);
    co_await drops_unwanted_bodies();
    co_await waits_for_requests_in_vain(world);
}

task<> reads_bodies(testing::simulation&) {
    co_await served("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhe", "llo",
                    "hello");
    co_await served("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", "llo\r\n0\r\n\r\n",
                    "hello");
}

task<> responds(testing::simulation&) {
    return served("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", get_one, "\r\n\r\n");
}

task<> writes_bodies(testing::simulation&) {
    return served("GET /chunked HTTP/1.1\r\nHost: a\r\n\r\n", "GET /large HTTP/1.1\r\nHost: a\r\n\r\n", "xxx");
}
task<> writes_files(testing::simulation& world) {
    world.write_file("/large", std::string(body_bytes, 'x'));
    return served("GET /file HTTP/1.1\r\nHost: a\r\n\r\n", "GET /prepared HTTP/1.1\r\nHost: a\r\n\r\n", "xxx");
}

task<> closes(testing::simulation&) {
    return served("GET /one HTTP/1.0\r\nHost: a\r\n\r\n", "what nobody wants to read", "\r\n\r\n");
}

// --- the client's side ---

task<> requests_from(net::endpoint peer, task<> (*use)(http::client_connection&)) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(peer);
    http::client_connection connection{std::move(stream)};
    co_await use(connection);
}

task<> with_server(task<> (*use)(http::client_connection&)) {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    co_await ringlet::when_all(serve_one(listener), requests_from(listener.local_endpoint(), use));
}

task<> answer_secretly(net::tcp_stream stream) {
    static const net::tls_context context = tls_server();
    net::tls_stream secured = co_await net::tls_stream::accept(std::move(stream), context);
    co_await answer_all(http::server_connection{std::move(secured)});
}

task<> requests_secretly(net::tcp_stream stream, task<> (*use)(http::client_connection&)) {
    static const net::tls_context context = tls_client();
    net::tls_stream secured = co_await net::tls_stream::connect(std::move(stream), context, "localhost");
    http::client_connection connection{std::move(secured)};
    co_await use(connection);
}

task<> with_tls_server(task<> (*use)(http::client_connection&)) {
    connection both = co_await connected();
    co_await ringlet::when_all(answer_secretly(std::move(both.near)), requests_secretly(std::move(both.far), use));
}

task<> use_requests(http::client_connection& connection) {
    const http::request_head one = request_for("/one");
    const http::response_head* first = co_await connection.request(one);
    expect(first->status == http::status::ok, "another status");
    const std::size_t none = co_await read_rest(connection);
    expect(none == 0, "another body");
    if (!connection.reusable()) throw std::system_error{net::errc::unexpected_end, "the server has closed"};
    http::request_head post = request_for("/echo");
    post.method = http::method::post;
    post.fields.add("Content-Length", "5");
    co_await connection.request(post, "hello");
    const std::size_t five = co_await read_rest(connection);
    expect(five == 5, "another body");
}

task<> use_parts(http::client_connection& connection) {
    const http::request_head head = request_for("/chunked");
    co_await connection.request(head);
    for (std::size_t all = 0;;) {
        const auto part = co_await connection.read_some();
        all += part.size();
        if (!part.empty()) continue;
        expect(all == body_bytes, "another body");
        co_return;
    }
}

task<> use_reads(http::client_connection& connection) {
    const http::request_head head = request_for("/large");
    co_await connection.request(head);
    const std::size_t all = co_await read_rest(connection);
    expect(all == body_bytes, "another body");
}

task<> use_splices(http::client_connection& connection) {
    const http::request_head head = request_for("/large");
    co_await connection.request(head);
    std::array<int, 2> ends{};
    expect(io::sys::pipe2(ends.data(), O_CLOEXEC) == 0, "no pipe");
    const io::owned_fd out{ends[0]};
    const io::owned_fd in{ends[1]};
    std::array<std::byte, 4096> dropped;
    std::size_t all = 0;
    for (;;) {
        const std::size_t moved = co_await connection.splice_some(in, dropped.size());
        all += moved;
        if (moved > 0) {
            expect(io::sys::read(out.get(), dropped.data(), moved) == static_cast<ssize_t>(moved), "not in the pipe");
            continue;
        }
        const auto part = co_await connection.read_some();
        all += part.size();
        if (part.empty()) break;
    }
    expect(all == body_bytes, "another body");
}

task<> use_files(http::client_connection& connection) {
    const http::request_head head = request_for("/file");
    co_await connection.request(head);
    const std::size_t all = co_await read_rest(connection);
    expect(all == body_bytes, "another body");
}

// In clear, and under TLS.
task<> with_both(task<> (*use)(http::client_connection&)) {
    co_await with_server(use);
    co_await with_tls_server(use);
}

task<> requests(testing::simulation&) { return with_both(&use_requests); }
task<> reads_some(testing::simulation&) { return with_both(&use_parts); }
task<> splices(testing::simulation& world) {
    world.write_file("/large", std::string(body_bytes, 'x'));
    co_await with_both(&use_splices);
}
task<> reads(testing::simulation& world) {
    world.write_file("/large", std::string(body_bytes, 'x'));
    co_await with_both(&use_reads);
    co_await with_both(&use_files);
}

task<> get_and_read(std::string url) {
    http::response response = co_await http::get(std::move(url));
    std::array<std::byte, 3000> block{};
    std::size_t all = 0;
    for (;;) {
        const std::size_t n = co_await response.read(block);
        if (n == 0) break;
        all += n;
    }
    expect(all == body_bytes, "another body");
}

task<> get_text(std::string url) {
    http::response response = co_await http::get(std::move(url));
    const std::string text = co_await response.text();
    expect(text.size() == body_bytes, "another body");
}

task<> from_server(task<> (*use)(std::string)) {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    const std::string url = fmt::format("http://{}/large", listener.local_endpoint());
    co_await ringlet::when_all(serve_one(listener), use(url));
}

task<> gets(testing::simulation&) { return from_server(&get_and_read); }
task<> reads_text(testing::simulation&) { return from_server(&get_text); }

constexpr awaitable_row rows[] = {
    {"http::client_connection::request(const request_head&, std::string_view)", &requests},
    {"http::client_connection::read_some()", &reads_some},
    {"http::client_connection::splice_some(io::fd_ref, std::size_t)", &splices},
    {"http::client_connection::read(std::span<std::byte>)", &reads},
    {"http::response::read(std::span<std::byte>)", &gets},
    {"http::response::text(std::size_t)", &reads_text},
    {"http::get(std::string)", &gets},
    {"http::server_connection::next_request()", &next_requests},
    {"http::server_connection::read_body(std::span<std::byte>)", &reads_bodies},
    {"http::server_connection::respond(response_head, std::string_view)", &responds},
    {"http::server_connection::write(std::span<const std::byte>)", &writes_bodies},
    {"http::server_connection::respond(const prepared_head&, std::string_view)", &writes_files},
    {"http::server_connection::write_file(io::fd_ref, std::uint64_t, std::uint64_t, net::seen_pages*)", &writes_files},
    {"http::server_connection::close()", &closes},
};

}  // namespace

std::span<const awaitable_row> http_rows() noexcept { return rows; }

}  // namespace ringlet_tests
