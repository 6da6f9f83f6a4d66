// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>

#include <array>
#include <functional>
#include <stdexcept>
#include <system_error>

namespace {

namespace net = ringlet::net;
namespace testing = ringlet::testing;
using ringlet::task;

task<> echo(net::tcp_stream stream) {
    std::array<std::byte, 256> block;
    for (;;) {
        const std::size_t n = co_await stream.recv(block);
        if (n == 0) co_return;
        co_await stream.send_all(std::span{block}.first(n));
    }
}

task<> say_and_hear(net::endpoint peer, int rounds) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(peer);
    std::array<std::byte, 64> said{};
    std::array<std::byte, 64> heard{};
    for (int i = 0; i < rounds; ++i) {
        said.fill(static_cast<std::byte>(i));
        co_await stream.send_all(said);
        for (std::size_t got = 0; got < heard.size();) {
            const std::size_t n = co_await stream.recv(std::span{heard}.subspan(got));
            if (n == 0) throw std::system_error{std::make_error_code(std::errc::connection_aborted), "cut"};
            got += n;
        }
        if (said != heard) throw std::logic_error{"other bytes came back"};
    }
}

task<> serve_quietly(net::tcp_listener& listener) {
    net::serve_options options;
    options.on_failure = [](const net::endpoint&, const std::exception_ptr&) {};
    co_await net::serve(listener, options, echo);
}

task<> echo_once(int rounds) {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    auto both = [](ringlet::task_group& group, net::tcp_listener& from, int times) -> task<> {
        ringlet::job<> server = group.spawn(serve_quietly, std::ref(from));
        co_await say_and_hear(from.local_endpoint(), times);
        server.cancel();
    };
    co_await ringlet::with_task_group(both, std::ref(listener), rounds);
}

}  // namespace

TEST_CASE("a TCP echo survives being cancelled at every point", "[sim]") {
    const auto report = testing::cancel_everywhere([](testing::simulation&) { return echo_once(2); });
    INFO(report.to_string());
    CHECK(report.points > 10);
    CHECK(report.cancelled > report.points);
}

TEST_CASE("a TCP echo survives the failure of every operation and allocation", "[sim]") {
    const auto report = testing::fail_everywhere([](testing::simulation&) { return echo_once(2); });
    INFO(report.to_string());
    CHECK(report.points > 50);
    CHECK(report.failed > 0);
}

TEST_CASE("the same seed gives the same run, another seed another", "[sim]") {
    const auto trace_of = [](std::uint64_t seed) {
        testing::simulation world{seed, testing::fault_plan::harmless()};
        world.run(echo_once(10));
        return world.trace();
    };
    CHECK(trace_of(1) == trace_of(1));
    CHECK(trace_of(1) != trace_of(2));
}

TEST_CASE("faults that a kernel may commit at any time never change what an echo gives", "[sim]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::harmless(0.1);
    options.success_share = 0.9;
    const auto report = testing::hunt(options, [](testing::simulation& world) {
        world.run(echo_once(5));
        return true;
    });
    CHECK(report.succeeded == report.seeds);
}
