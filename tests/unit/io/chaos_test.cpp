// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include "io/sockets.hpp"
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/send_all.hpp>
#include <ringlet/testing/chaos_engine.hpp>
#include <ringlet/time/joinall.hpp>

#include <array>
#include <functional>
#include <string>
#include <vector>

using namespace ringlet_tests;
using namespace ringlet::io;
using ringlet::task;

namespace {

task<> say(fd_ref to, int count) {
    for (int i = 0; i < count; ++i) {
        const std::string text = std::to_string(i) + ",";
        co_await send_all_op{to, bytes_of(text)};
    }
}

task<> hear(fd_ref from, std::size_t bytes, std::string& into) {
    std::array<std::byte, 64> room{};
    while (into.size() < bytes) {
        const std::size_t n = co_await recv_op{from, room};
        into.append(reinterpret_cast<const char*>(room.data()), n);
    }
}

}  // namespace

TEST_CASE("chaos does all that it says, and no byte is lost", "[chaos]") {
    const leak_check leaks;
    std::string expected;
    for (int i = 0; i < 300; ++i) expected += std::to_string(i) + ",";
    std::unique_ptr<engine> real;
    try {
        real = make_uring_engine();
    } catch (const engine_unavailable& denied) {
        SKIP(denied.what());
    }
    auto chaos = std::make_unique<ringlet::testing::chaos_engine>(std::move(real), 1);
    const ringlet::testing::chaos_counts& counts = chaos->counts();
    ringlet::loop loop{std::move(chaos), ringlet::loop_options()};
    loop.run([](const std::string& all) -> task<> {
        constexpr int talks = 8;
        std::array<socket_pair, talks> ends;
        std::array<std::string, talks> heard;
        std::vector<ringlet::job<>> jobs;
        for (std::size_t i = 0; i < talks; ++i) {
            jobs.push_back(ringlet::spawn(say, fd_ref{ends[i].a}, 300));
            jobs.push_back(ringlet::spawn(hear, fd_ref{ends[i].b}, all.size(), std::ref(heard[i])));
        }
        co_await ringlet::joinall(jobs);
        for (const std::string& one : heard) CHECK(one == all);
    }(expected));
    CHECK(counts.shortened > 0);
    CHECK(counts.made_async > 0);
    CHECK(counts.interrupted > 0);
    CHECK(counts.held_back > 0);
    CHECK(counts.reordered > 0);
}
