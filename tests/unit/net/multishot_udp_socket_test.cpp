// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/net/multishot_udp_socket.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <sys/socket.h>

using namespace ringlet;
using namespace ringlet_tests;
using net::datagram_lease;
using net::endpoint;
using net::multishot_udp_socket;
using net::udp_socket;

namespace {

multishot_udp_socket server_at(const endpoint& address) { return multishot_udp_socket{udp_socket::bind(address)}; }
multishot_udp_socket any_server() { return server_at(endpoint::loopback_v4(0)); }

std::vector<std::byte> content(std::size_t size) {
    std::mt19937 random{static_cast<unsigned>(size)};
    std::vector<std::byte> bytes(size);
    std::ranges::generate(bytes, [&] { return static_cast<std::byte>(random()); });
    return bytes;
}

task<> all_sizes() {
    auto server = any_server();
    auto client = udp_socket::connect(server.local_endpoint());
    for (const std::size_t size : {0, 1, 64, 1472, 1473, 4096, 65'000, 65'507, 0, 0, 7}) {
        const auto sent = content(size);
        co_await client.send(sent);
        const datagram_lease got = co_await server.recv_lease();
        CHECK(std::ranges::equal(got.bytes(), sent));
        CHECK(got.full_size() == size);
        CHECK(got.from() == client.local_endpoint());
        CHECK_FALSE(got.to());
        CHECK(got.is_to_one());
        const std::size_t back = co_await server.send_to(got.bytes(), got.from());
        CHECK(back == size);
        std::vector<std::byte> room(65'536);
        const std::size_t heard = co_await client.recv(room);
        CHECK(heard == size);
    }
}

task<> truncation() {
    auto server = any_server();
    auto client = udp_socket::connect(server.local_endpoint());
    for (int i = 0; i < 3; ++i) {
        co_await client.send(content(100));
        const datagram_lease got = co_await server.recv_lease();
        CHECK(got.size() == 32);
        CHECK(got.full_size() == 100);
        CHECK(got.truncated());
    }
}

task<> send_many(const endpoint& to, int count) {
    auto client = udp_socket::connect(to);
    for (int i = 0; i < count; ++i) {
        const std::string text = fmt::format("datagram {}", i);
        co_await client.send(as_bytes(text));
        if (i % 20 == 19) co_await sleep(std::chrono::microseconds{100});  // the kernel's queue is short, too
    }
}

// Each wait ends by its time limit or with a datagram; together they have all, in order.
task<> waits_that_are_given_up(int count) {
    auto server = any_server();
    auto sender = spawn(send_many, server.local_endpoint(), count);
    int next = 0;
    std::vector<datagram_lease> held;
    while (next < count) {
        const auto got = co_await as_result(with_timeout(50us, server.recv_lease()));
        if (!got) continue;
        CHECK(as_text(got->bytes()) == fmt::format("datagram {}", next));
        ++next;
        while (const auto more = server.try_recv_lease()) {
            CHECK(as_text(more->bytes()) == fmt::format("datagram {}", next));
            ++next;
        }
    }
    co_await sender.get();
}

// Who holds every lease waits for one; and loses nothing, as long as the kernel's queue takes it.
task<> held_leases() {
    auto server = any_server();
    co_await send_many(server.local_endpoint(), 20);
    std::vector<datagram_lease> held;
    for (int i = 0; i < 4; ++i) held.push_back(co_await server.recv_lease());
    const auto none = co_await as_result(with_timeout(5ms, server.recv_lease()));
    CHECK(none.error() == std::errc::timed_out);
    held.clear();
    for (int i = 4; i < 20; ++i) {
        const datagram_lease got = co_await server.recv_lease();
        CHECK(as_text(got.bytes()) == fmt::format("datagram {}", i));
    }
}

task<> expect_destination(multishot_udp_socket& server, udp_socket client, endpoint asked) {
    asked.set_port(server.local_endpoint().port());
    co_await client.send_to(as_bytes("where?"), asked);
    const datagram_lease got = co_await server.recv_lease();
    REQUIRE(got.to().has_value());
    CHECK(got.to()->address_text() == asked.address_text());
    CHECK(got.is_to_one());
}

task<> destinations() {
    auto server = server_at(endpoint::any_v4(0));
    server.ask_for_destinations();
    for (const std::uint8_t last : {1, 2, 99}) {
        const endpoint asked = endpoint::v4({127, 0, 0, last}, 0);
        co_await expect_destination(server, udp_socket::bind(endpoint::any_v4(0)), asked);
    }
}

task<> destinations_v6() {
    auto server = server_at(endpoint::any_v6(0));
    server.ask_for_destinations();
    co_await expect_destination(server, udp_socket::bind(endpoint::any_v6(0)), endpoint::loopback_v6(0));
    const endpoint mapped = endpoint::v4({127, 0, 0, 3}, server.local_endpoint().port());
    auto client = udp_socket::connect(mapped);
    co_await client.send(as_bytes("four"));
    const datagram_lease got = co_await server.recv_lease();
    REQUIRE(got.to().has_value());
    CHECK(got.to()->address_text() == "::ffff:127.0.0.3");
    CHECK(got.is_to_one());
}

task<> broadcast(endpoint at) {
    auto server = server_at(at);
    server.ask_for_destinations();
    auto client = udp_socket::bind(endpoint::loopback_v4(0));
    const int on = 1;
    REQUIRE(::setsockopt(client.socket().get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0);
    const auto to_all = endpoint::v4({127, 255, 255, 255}, server.local_endpoint().port());
    co_await client.send_to(as_bytes("all of you"), to_all);
    const datagram_lease got = co_await server.recv_lease();
    REQUIRE(got.to().has_value());
    CHECK(contains(got.to()->address_text(), "127.255.255.255"));
    CHECK_FALSE(got.is_to_one());
}

bool has_ipv6() {
    try {
        [[maybe_unused]] const auto probe = udp_socket::bind(endpoint::loopback_v6(0));
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

loop_options with_buffers(unsigned count, unsigned payload = 65'535) {
    loop_options options;
    options.message_buffers = options.message_buffers_max = count;
    options.message_buffer_bytes = static_cast<unsigned>(io::message_lease::overhead) + payload;
    return options;
}

}  // namespace

TEST_CASE("datagrams of every size come into leases, with their sender", "[net][udp]") { run(all_sizes); }
TEST_CASE("a datagram that the buffers have no room for tells its full size", "[net][udp]") {
    loop{with_buffers(2, 32)}.run(truncation());
}
TEST_CASE("waits for datagrams that are given up lose none", "[net][udp]") {
    loop{with_buffers(64)}.run(waits_that_are_given_up(500));
    loop{with_buffers(2)}.run(waits_that_are_given_up(200));
}
TEST_CASE("datagrams wait in the kernel while all leases are out", "[net][udp]") {
    loop{with_buffers(4)}.run(held_leases());
}
TEST_CASE("datagrams tell the address that was asked", "[net][udp]") { run(destinations); }
TEST_CASE("datagrams tell the address that was asked, over IPv6", "[net][udp]") {
    if (!has_ipv6()) return;
    run(destinations_v6);
}
TEST_CASE("what was sent to many is told from what was sent to one", "[net][udp]") {
    run(broadcast, endpoint::any_v4(0));
    if (has_ipv6()) run(broadcast, endpoint::any_v6(0));
}
