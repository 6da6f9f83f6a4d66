// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "programs.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/net/udp_socket.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/clock.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>

namespace {

namespace net = ringlet::net;
namespace testing = ringlet::testing;
using namespace std::chrono_literals;

constexpr std::uint16_t port = 7777;

// Sends again what may have been lost, and again; an echo that comes late is passed over.
ringlet::task<> exchange_datagram(net::udp_socket& socket, const std::string& text) {
    std::array<std::byte, 2048> buffer;
    for (int tries = 0; tries < 30; ++tries) {
        const auto sent =
            co_await ringlet::as_result(socket.send_to(ringlet::as_bytes(text), net::endpoint::loopback_v4(port)));
        if (!sent && sent.error() != std::errc::no_buffer_space) throw std::system_error{sent.error(), "send"};
        for (;;) {
            const auto got = co_await ringlet::as_result(ringlet::with_timeout(100ms, socket.recv_from(buffer)));
            if (!got) break;
            const net::datagram echo = *got;
            if (ringlet::as_text(std::span{buffer}.first(echo.size)) == text) co_return;
        }
    }
    throw std::runtime_error{"no echo of " + text.substr(0, 20)};
}

ringlet::task<> udp_client(unsigned number) {
    auto socket = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    for (unsigned i = 0; i < 5; ++i)
        co_await exchange_datagram(socket, fmt::format("{} of {} {}", i, number, std::string(i * 300, 'x')));
}

ringlet::task<> send_text(net::tcp_stream& stream, const std::string& text) {
    co_await stream.send_all(ringlet::as_bytes(text));
    co_await stream.shutdown_send();
}

ringlet::task<> tcp_client(unsigned number) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(net::endpoint::loopback_v4(port));
    std::string said;
    for (unsigned i = 0; i < number * 400; ++i) said += fmt::format("{} ", i * number);
    std::string heard;
    const auto hear = [](net::tcp_stream& from, std::string& into) -> ringlet::task<> {
        std::array<std::byte, 5000> block;
        while (const std::size_t n = co_await from.recv(block)) into += ringlet::as_text(std::span{block}.first(n));
    };
    co_await ringlet::when_all(send_text(stream, said), hear(stream, heard));
    if (!said.starts_with(heard)) throw std::logic_error{"other bytes came back"};
    if (heard != said) throw std::runtime_error{"cut"};
}

ringlet::task<> ask_all(ringlet::task_group& group, bool tcp) {
    for (unsigned i = 0; i < 10; ++i) group.spawn(tcp ? tcp_client : udp_client, i);
    co_return;
}

ringlet::task<> echo_and_ask(ringlet::task_group& group, testing::simulation& world, const echo::options& how) {
    auto server = group.spawn(programs::echo, std::cref(how));
    co_await ringlet::sleep(10ms);  // it listens
    co_await ringlet::with_task_group(ask_all, how.tcp);
    world.signal(SIGINT);
    co_await server.get();
}

// Asks `count` times at once; gives how many answers come within half a second.
ringlet::task<unsigned> ask_at_once(net::udp_socket& socket, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
        co_await socket.send_to(ringlet::as_bytes("?"), net::endpoint::loopback_v4(port));
    unsigned answers = 0;
    std::array<std::byte, 8> buffer;
    const auto end = ringlet::deadline_after(500ms);
    for (;;) {
        const auto got = co_await ringlet::as_result(ringlet::with_deadline(end, socket.recv_from(buffer)));
        if (!got) break;
        ++answers;
    }
    co_return answers;
}

// Two sources, one of them with two ports: each address has its own allowance.
ringlet::task<> ask_too_often(std::string& log) {
    auto one = net::udp_socket::bind(net::endpoint::v4({127, 0, 0, 1}, 0));
    auto same = net::udp_socket::bind(net::endpoint::v4({127, 0, 0, 1}, 0));
    auto other = net::udp_socket::bind(net::endpoint::v4({127, 0, 0, 2}, 0));
    for (auto* socket : {&one, &same, &other, &one}) {
        const unsigned answers = co_await ask_at_once(*socket, 30);
        log += fmt::format("{} ", answers);
        if (socket == &other) co_await ringlet::sleep(10s);
    }
}

ringlet::task<> cap_and_ask(ringlet::task_group& group, testing::simulation& world, const echo::options& how,
                            std::string& log) {
    auto server = group.spawn(programs::echo, std::cref(how));
    co_await ringlet::sleep(10ms);
    co_await ask_too_often(log);
    world.signal(SIGINT);
    co_await server.get();
}

bool all_is_echoed(testing::simulation& world, bool tcp) {
    echo::options how;
    how.tcp = tcp;
    world.run(ringlet::with_task_group(echo_and_ask, std::ref(world), std::cref(how)));
    return true;
}

// Whatever goes wrong: simulation::run looks at what is left.
bool all_is_echoed_unless_it_fails(testing::simulation& world, bool tcp) {
    try {
        return all_is_echoed(world, tcp);
    } catch (const std::logic_error&) {
        throw;
    } catch (const std::exception&) {
        return false;
    }
}

}  // namespace

TEST_CASE("what is said to the TCP echo comes back, whatever a correct kernel does", "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::harmless();
    options.seeds = 30;
    options.twice = true;
    const auto report = testing::hunt(options, [](testing::simulation& world) { return all_is_echoed(world, true); });
    CHECK(report.succeeded == report.seeds);
}

TEST_CASE("each datagram that the UDP echo gets comes back, whatever a correct kernel and a bad network do",
          "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::harmless()
                         .with(testing::fault::datagram_lost, 0.1)
                         .with(testing::fault::datagram_duplicated, 0.1)
                         .with(testing::fault::datagram_delayed, 0.1);
    options.seeds = 50;
    options.twice = true;
    const auto report = testing::hunt(options, [](testing::simulation& world) { return all_is_echoed(world, false); });
    CHECK(report.succeeded == report.seeds);
}

TEST_CASE("each source gets so many answers a second, and a second's worth at once", "[programs]") {
    testing::simulation world;
    echo::options how;
    how.address = net::endpoint::any_v4(port);
    how.rate_per_source = 10;
    std::string log;
    world.run(ringlet::with_task_group(cap_and_ask, std::ref(world), std::cref(how), std::ref(log)));
    // The second port of the same source finds what has grown again within half a second.
    CHECK(log == "10 5 10 10 ");
    const std::string said = world.errors();
    INFO(said);
    CHECK(said.find("at most 10 answers a second") != std::string::npos);
    CHECK(said.find("35 datagrams echoed, 35 bytes, 0 not answered, 0 failed, 85 over the rate of their source\n") !=
          std::string::npos);
}

TEST_CASE("the echoes leave nothing behind, whatever goes wrong", "[programs]") {
    const bool tcp = GENERATE(true, false);
    testing::hunt_options options;
    options.faults = testing::fault_plan::everything(0.01);
    options.seeds = 300;
    const auto report =
        testing::hunt(options, [tcp](testing::simulation& world) { return all_is_echoed_unless_it_fails(world, tcp); });
    INFO(report.to_string());
    CHECK(report.succeeded < report.seeds);
}
