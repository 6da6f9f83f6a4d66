// SPDX-License-Identifier: MIT
#include "certificates.hpp"
#include "scenario.hpp"
#include "table.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/tls_stream.hpp>

#include <vector>

namespace ringlet_tests {
namespace {

constexpr std::size_t text_bytes = 40'000;

// Read once, and by real calls: OpenSSL knows of no simulation.
const net::tls_context& server_side() {
    static const net::tls_context made = tls_server();
    return made;
}
const net::tls_context& client_side() {
    static const net::tls_context made = tls_client();
    return made;
}

task<std::string> read_until_end(net::tls_stream& from) {
    std::vector<std::byte> block(10'000);
    std::string all;
    for (;;) {
        const std::size_t n = co_await from.recv(block);
        if (n == 0) co_return all;
        all += as_text(std::span{block}.first(n));
    }
}

task<> echo_all(net::tcp_stream stream) {
    net::tls_stream secured = co_await net::tls_stream::accept(std::move(stream), server_side());
    const std::string text = co_await read_until_end(secured);
    co_await ringlet::sleep(1ms);
    co_await secured.send_all(as_bytes(text));
    co_await secured.shutdown_send();
}

task<> talk(net::tcp_stream stream) {
    net::tls_stream secured = co_await net::tls_stream::connect(std::move(stream), client_side(), "localhost");
    const std::string text(text_bytes, 'x');
    co_await secured.send_all(as_bytes(text));
    std::vector<std::byte> block(100);
    co_await times_out(secured.recv(block));
    co_await secured.shutdown_send();
    const std::string back = co_await read_until_end(secured);
    expect(back == text, "other bytes came back");
}

task<> talks(testing::simulation&) {
    connection both = co_await connected();
    co_await ringlet::when_all(echo_all(std::move(both.near)), talk(std::move(both.far)));
}

task<> silent_peers(testing::simulation&) {
    connection both = co_await connected();
    co_await times_out(net::tls_stream::accept(std::move(both.near), server_side()));
    connection others = co_await connected();
    co_await times_out(net::tls_stream::connect(std::move(others.near), client_side(), "localhost"));
}

task<> shakes_hands(testing::simulation& world) {
    co_await silent_peers(world);
    co_await talks(world);
}

constexpr awaitable_row rows[] = {
    {"net::tls_stream::accept(tcp_stream, tls_context)", &shakes_hands},
    {"net::tls_stream::connect(tcp_stream, tls_context, std::string)", &shakes_hands},
    {"net::tls_stream::recv(std::span<std::byte>)", &talks},
    {"net::tls_stream::send_all(std::span<const std::byte>)", &talks},
    {"net::tls_stream::shutdown_send()", &talks},
};

}  // namespace

std::span<const awaitable_row> tls_rows() noexcept { return rows; }

}  // namespace ringlet_tests
