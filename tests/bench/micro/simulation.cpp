// SPDX-License-Identifier: MIT
#include "common/measure.hpp"
#include "micro/micro.hpp"
#include <ringlet/core/task_group.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/testing/simulation.hpp>

#include <array>
#include <cstdlib>
#include <functional>

namespace bench {
namespace {

ringlet::task<> receive_all(ringlet::net::tcp_stream& stream, std::span<std::byte> block) {
    for (std::size_t got = 0; got < block.size();) {
        const std::size_t n = co_await stream.recv(block.subspan(got));
        if (n == 0) std::abort();
        got += n;
    }
}

ringlet::task<> answer(ringlet::net::tcp_listener& listener, std::size_t rounds) {
    auto stream = co_await listener.accept();
    std::array<std::byte, 64> block;
    for (std::size_t i = 0; i < rounds; ++i) {
        co_await receive_all(stream, block);
        co_await stream.send_all(block);
    }
}

ringlet::task<> ask(ringlet::net::endpoint peer, std::size_t rounds) {
    auto stream = co_await ringlet::net::tcp_stream::connect(peer);
    std::array<std::byte, 64> block{};
    for (std::size_t i = 0; i < rounds; ++i) {
        co_await stream.send_all(block);
        co_await receive_all(stream, block);
    }
}

ringlet::task<> echo(std::size_t rounds) {
    auto listener = ringlet::net::tcp_listener::bind(ringlet::net::endpoint::loopback_v4(0));
    auto both = [](ringlet::task_group& group, ringlet::net::tcp_listener& from, std::size_t times) -> ringlet::task<> {
        group.spawn(answer, std::ref(from), times);
        co_await ask(from.local_endpoint(), times);
    };
    co_await ringlet::with_task_group(both, std::ref(listener), rounds);
}

}  // namespace

// Operations a second of an echo of 64 bytes, with faults that do not change its result.
void measure_simulation(const micro_options& options) {
    const std::size_t rounds = options.scaled(50'000);
    const auto run = [&] {
        ringlet::testing::simulation world{1, ringlet::testing::fault_plan::harmless()};
        const auto start = clock::now();
        world.run(echo(rounds));
        return static_cast<double>(world.operations().size()) / nanoseconds_since(start) * 1e9;
    };
    print_summary("simulation", "operations/s", repeat(options.repetitions(), run));
}

}  // namespace bench
