// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "dice.hpp"
#include "programs.hpp"
#include "web_client.hpp"
#include <ringlet/core/task_group.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>

namespace {

namespace testing = ringlet::testing;
using ringlet::task;
using ringlet::task_group;
using namespace std::chrono_literals;

constexpr std::uint64_t clients = 8;

struct served_street : web::street {
    served_street(testing::simulation& in, bool nothing_fails) : street{.world = in, .faultless = nothing_fails} {}

    // Ends the server: SIGTERM, once.
    void drain() {
        if (drained) return;
        drained = true;
        drained_at = world.now();
        world.signal(SIGTERM);
    }

    std::chrono::nanoseconds drained_at{0};
    std::chrono::nanoseconds server_ended_at{0};
};

task<> serve(served_street& all) {
    serve::options site;
    site.site.root = "/site";
    co_await programs::serve(site);
    all.server_ended_at = all.world.now();
}

task<> visit_all(task_group& group, served_street& all) {
    for (std::uint64_t i = 0; i < clients; ++i)
        group.spawn(web::visit, std::ref<web::street>(all), all.world.seed() * clients + i);
    co_return;
}

task<> open_and_visit(task_group& group, served_street& all) {
    auto server = group.spawn(serve, std::ref(all));
    co_await ringlet::with_task_group(visit_all, std::ref(all));
    all.drain();
    co_await server.get();
}

// One seed: a server, its clients, and an end of the server that comes while they are there or after them.
void run(served_street& all) {
    web::furnish(all.world);
    dice roll{all.world.seed()};
    if (roll.one_in(2)) all.world.after(10ms + roll.below(2000) * 100us, [&all] { all.drain(); });
    all.world.run(ringlet::with_task_group(open_and_visit, std::ref(all)));
}

// What has to hold at the end of a server that nothing hindered.
void look_back(const served_street& all) {
    const auto took = all.server_ended_at - all.drained_at;
    if (took > 65s) throw std::logic_error{fmt::format("the server took {} ms to end", took / 1ms)};
    const auto lines = static_cast<std::size_t>(std::ranges::count(all.world.output(), '\n'));
    if (lines < 1 + all.whole_answers)
        throw std::logic_error{fmt::format("{} answers, and {} lines of the log", all.whole_answers, lines)};
}

}  // namespace

TEST_CASE("every client of the server gets what it asked for, whatever a correct kernel does, and bad ones are ended",
          "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::harmless();
    options.seeds = 1000;
    std::size_t drained_early = 0;
    const auto report = testing::hunt(options, [&](testing::simulation& world) {
        served_street all{world, true};
        run(all);
        look_back(all);
        if (all.as_planned < all.visits) ++drained_early;
        return true;
    });
    INFO(report.to_string());
    CHECK(report.succeeded == report.seeds);
    CHECK(drained_early > 100);
}

TEST_CASE("no client of the server gets wrong bytes, and nothing is left behind, whatever goes wrong", "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::everything(0.01);
    options.seeds = 1000;
    const auto report = testing::hunt(options, [](testing::simulation& world) {
        served_street all{world, false};
        try {
            run(all);
        } catch (const std::logic_error&) {
            throw;
        } catch (const std::exception&) {
            return false;  // the server could not begin
        }
        return all.as_planned == clients;
    });
    INFO(report.to_string());
    CHECK(report.succeeded < report.seeds);
}
