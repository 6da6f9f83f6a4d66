// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/time/sleep.hpp>

#include <functional>
#include <limits>
#include <string>
#include <vector>

using namespace ringlet_tests;
using ringlet::sleep;
using ringlet::sleep_until;
using ringlet::spawn;
using ringlet::task;
using std::chrono::nanoseconds;

namespace {

task<> note_after(nanoseconds delay, int id, std::vector<int>& order) {
    co_await sleep(delay);
    order.push_back(id);
}

}  // namespace

TEST_CASE("sleepers wake in deadline order, at their time", "[sleep]") {
    checked_loop loop;
    std::vector<int> order;
    loop.run(ringlet::when_all(note_after(30ms, 3, order), note_after(10ms, 1, order), note_after(20ms, 2, order)));
    CHECK(order == std::vector{1, 2, 3});
    CHECK(loop.now() == 30ms);
}

TEST_CASE("a sleep of zero or less lets the others run once", "[sleep]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto other = spawn(
            [](std::string& text) -> task<> {
                text += 'o';
                co_return;
            },
            std::ref(l));
        co_await sleep(0ns);
        l += 'm';
        co_await sleep(-5s);
        co_await sleep(nanoseconds::min());
        co_await sleep_until(ringlet::deadline::min());
        co_await other.join();
    }(log));
    CHECK(log == "om");
    CHECK(loop.now() == 0ms);
}

TEST_CASE("sleep_until wakes at a point in time, at once when it is past", "[sleep]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        const auto begin = ringlet::clock::now();
        co_await sleep_until(begin + 7ms);
        CHECK(here.now() == 7ms);
        co_await sleep_until(begin + 3ms);
        CHECK(here.now() == 7ms);
    }(loop));
}

TEST_CASE("the coarse clock is never ahead", "[clock]") {
    const ringlet::deadline coarse = ringlet::clock::coarse_now();
    CHECK(coarse <= ringlet::clock::now());
    CHECK(ringlet::coarse_deadline_after(1h) > coarse);
    CHECK(ringlet::coarse_deadline_after(std::chrono::nanoseconds::max()) == ringlet::deadline::max());
}

TEST_CASE("the longest sleep there is can be cancelled", "[sleep]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto a = spawn([]() -> task<> { co_await sleep(nanoseconds::max()); });
        auto b = spawn([]() -> task<> { co_await sleep_until(ringlet::deadline::max()); });
        co_await sleep(1ms);
        a.cancel();
        b.cancel();
        co_await a.join();
        co_await b.join();
    }());
    CHECK(loop.now() == 1ms);
}

TEST_CASE("yield lets every job that is ready run, in turn", "[sleep]") {
    checked_loop loop;
    std::string log;
    const auto talk = [](std::string& l, char name) -> task<> {
        for (int i = 0; i < 3; ++i) {
            l += name;
            co_await ringlet::yield();
        }
    };
    loop.run(ringlet::when_all(talk(log, 'a'), talk(log, 'b'), talk(log, 'c')));
    CHECK(log == "abcabcabc");
}

TEST_CASE("a hundred thousand sleepers wake in order", "[sleep]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        struct shared {
            nanoseconds last{0};
            bool ordered = true;
            int woken = 0;
        } state;
        const auto one = [](nanoseconds when, shared& s) -> task<> {
            co_await sleep(when);
            if (when < s.last) s.ordered = false;
            s.last = when;
            ++s.woken;
        };
        std::vector<task<>> all;
        unsigned seed = 7;
        for (int i = 0; i < 100'000; ++i) {
            seed = seed * 1664525u + 1013904223u;
            all.push_back(one(nanoseconds{1 + (seed >> 4)}, state));
        }
        co_await ringlet::when_all(std::move(all));
        CHECK(state.ordered);
        CHECK(state.woken == 100'000);
    }());
}
