// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/net/udp_socket.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <cerrno>

using namespace ringlet;
using namespace ringlet_tests;
using net::datagram;
using net::endpoint;
using net::udp_socket;

namespace {

udp_socket any_port() { return udp_socket::bind(endpoint::loopback_v4(0)); }

task<> exchange() {
    auto server = any_port();
    auto client = any_port();
    const std::size_t sent = co_await client.send_to(as_bytes("hello"), server.local_endpoint());
    CHECK(sent == 5);
    std::array<std::byte, 16> buffer{};
    const datagram got = co_await server.recv_from(buffer);
    CHECK(as_text(std::span{buffer}.first(got.size)) == "hello");
    CHECK(got.from == client.local_endpoint());
    CHECK_FALSE(got.truncated());
    co_await client.send_to(as_bytes(""), server.local_endpoint());
    const datagram empty = co_await server.recv_from(buffer);
    CHECK(empty.size == 0);
    CHECK(empty.from == client.local_endpoint());
}

task<> truncation() {
    auto server = any_port();
    auto client = udp_socket::connect(server.local_endpoint());
    co_await client.send(as_bytes("0123456789"));
    std::array<std::byte, 4> small{};
    const datagram got = co_await server.recv_from(small);
    CHECK(got.size == 4);
    CHECK(got.full_size == 10);
    CHECK(got.truncated());
    CHECK(as_text(small) == "0123");
}

task<> connected() {
    auto server = any_port();
    auto stranger = any_port();
    auto client = udp_socket::connect(server.local_endpoint(), endpoint::loopback_v4(0));
    CHECK(client.peer_endpoint() == server.local_endpoint());
    co_await stranger.send_to(as_bytes("not for you"), client.local_endpoint());
    co_await server.send_to(as_bytes("for you"), client.local_endpoint());
    std::array<std::byte, 16> buffer{};
    const std::size_t n = co_await client.recv(buffer);
    CHECK(as_text(std::span{buffer}.first(n)) == "for you");
}

task<> refused() {
    endpoint nobody;
    {
        auto gone = any_port();
        nobody = gone.local_endpoint();
    }
    auto client = udp_socket::connect(nobody);
    co_await client.send(as_bytes("anybody?"));
    std::array<std::byte, 16> buffer{};
    const result<std::size_t> n = co_await as_result(client.recv(buffer));
    CHECK(n.error() == std::errc::connection_refused);
}

task<> receive_into(udp_socket& socket, std::string& text) {
    std::array<std::byte, 16> buffer{};
    const datagram got = co_await socket.recv_from(buffer);
    text = as_text(std::span{buffer}.first(got.size));
}

task<> cancellation() {
    auto server = any_port();
    auto client = any_port();
    std::string text;

    auto early = spawn(receive_into, std::ref(server), std::ref(text));
    early.cancel();
    co_await early.join();

    auto waiting = spawn(receive_into, std::ref(server), std::ref(text));
    co_await yield();
    waiting.cancel();
    co_await waiting.join();
    CHECK(text.empty());

    std::array<std::byte, 16> buffer{};
    const result<datagram> late = co_await as_result(with_timeout(1ms, server.recv_from(buffer)));
    CHECK(late.error() == std::errc::timed_out);

    // None of them took a datagram with it.
    co_await client.send_to(as_bytes("kept"), server.local_endpoint());
    auto last = spawn(receive_into, std::ref(server), std::ref(text));
    co_await last.join();
    last.cancel();  // after completion: nothing
    CHECK(text == "kept");
}

task<> too_long() {
    auto client = any_port();
    const std::vector<std::byte> huge(70'000);
    const std::string why = co_await fate(client.send_to(huge, client.local_endpoint()));
    CHECK(why == fmt::format("send_to {}: Message too long", client.local_endpoint()));
}

}  // namespace

TEST_CASE("datagrams arrive with their sender, empty ones too", "[net][udp]") { run(exchange); }
TEST_CASE("a datagram longer than the buffer tells its full size", "[net][udp]") { run(truncation); }
TEST_CASE("a connected socket hears its peer only", "[net][udp]") { run(connected); }
TEST_CASE("nobody listening shows at the next receive", "[net][udp]") { run(refused); }
TEST_CASE("a cancelled receive takes no datagram with it", "[net][udp]") { run(cancellation); }
TEST_CASE("an over-long datagram is refused with its destination", "[net][udp]") { run(too_long); }

TEST_CASE("a UDP port in use is an error that names it", "[net][udp]") {
    const auto first = any_port();
    const endpoint taken = first.local_endpoint();
    CHECK_THROWS_WITH(udp_socket::bind(taken),
                      fmt::format("cannot use UDP port {} ({}): Address already in use", taken.port(), taken));
}
