// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include <ringlet/time/limit_scope.hpp>
#include <ringlet/time/timer_queue.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

using ringlet::deadline;
using ringlet::detail::job_block;
using ringlet::detail::job_type;
using ringlet::detail::scheduler;
using ringlet::detail::timer_owner;
using ringlet::detail::timer_queue;
using namespace std::chrono_literals;

namespace {

constexpr job_type no_type{nullptr, nullptr};

}  // namespace

TEST_CASE("arming and disarming at random gives the times of a simple model", "[timer_queue]") {
    const unsigned seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    scheduler loop;
    timer_queue queue;
    std::vector<std::unique_ptr<job_block>> owners;
    for (int i = 0; i < 300; ++i) owners.push_back(std::make_unique<job_block>(&no_type));
    std::multimap<std::int64_t, job_block*> model;
    const auto forget = [&](job_block* owner) {
        const auto found = std::ranges::find_if(model, [&](const auto& e) { return e.second == owner; });
        REQUIRE(found != model.end());
        model.erase(found);
    };
    std::int64_t now = 0;
    for (int step = 0; step < 30'000; ++step) {
        job_block& owner = *owners[random() % owners.size()];
        switch (random() % 8) {
            case 0: {  // time passes
                now += static_cast<std::int64_t>(random() % 50);
                const std::size_t ready_before = loop.ready_count();
                queue.fire_due(deadline{std::chrono::nanoseconds{now}}, loop);
                std::size_t due = 0;
                while (!model.empty() && model.begin()->first <= now) {
                    REQUIRE_FALSE(model.begin()->second->timer.armed());
                    model.erase(model.begin());
                    ++due;
                }
                REQUIRE(loop.ready_count() == ready_before + due);
                break;
            }
            case 1:
            case 2:
                if (owner.timer.armed()) forget(&owner);
                queue.disarm(owner.timer);
                REQUIRE_FALSE(owner.timer.armed());
                break;
            default:
                if (owner.timer.armed()) break;
                const std::int64_t when = now + static_cast<std::int64_t>(random() % 400);
                queue.arm(owner.timer, timer_owner::sleeping_job, deadline{std::chrono::nanoseconds{when}});
                model.emplace(when, &owner);
        }
        REQUIRE(queue.empty() == model.empty());
        if (!model.empty()) REQUIRE(queue.next().time_since_epoch().count() == model.begin()->first);
    }
}

TEST_CASE("a hundred thousand timers fire in order, and those disarmed do not", "[timer_queue]") {
    scheduler loop;
    timer_queue queue;
    constexpr int count = 100'000;
    std::vector<std::unique_ptr<job_block>> owners;
    std::mt19937 random{42};
    for (int i = 0; i < count; ++i) {
        owners.push_back(std::make_unique<job_block>(&no_type));
        queue.arm(owners.back()->timer, timer_owner::sleeping_job,
                  deadline{std::chrono::nanoseconds{random() % count}});
    }
    for (int i = 0; i < count; i += 2) queue.disarm(owners[static_cast<std::size_t>(i)]->timer);
    std::int64_t last = 0;
    std::size_t fired = 0;
    while (!queue.empty()) {
        const deadline next = queue.next();
        REQUIRE(next.time_since_epoch().count() >= last);
        last = next.time_since_epoch().count();
        queue.fire_due(next, loop);
        REQUIRE(loop.ready_count() > fired);
        fired = loop.ready_count();
    }
    CHECK(fired == count / 2);
}
