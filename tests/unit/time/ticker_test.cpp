// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/ticker.hpp>
#include <ringlet/time/timeout.hpp>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace ringlet_tests;
using ringlet::missed_ticks;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet::ticker;

namespace {

using tick_at = std::pair<std::int64_t, std::uint64_t>;  // milliseconds, how many

// Ticks of 10 ms; the work on the second takes 35 ms, on the others 1 ms.
task<std::vector<tick_at>> with_one_slow(missed_ticks missed) {
    ticker every{10ms, missed};
    const auto start = ringlet::clock::now();
    std::vector<tick_at> seen;
    for (int i = 0; i < 8; ++i) {
        const std::uint64_t due = co_await every.tick();
        const auto now = ringlet::clock::now() - start;
        seen.emplace_back(std::chrono::duration_cast<std::chrono::milliseconds>(now).count(), due);
        const auto work = i == 1 ? 35ms : 1ms;
        co_await sleep(work);
    }
    co_return seen;
}

}  // namespace

TEST_CASE("a ticker ticks at the multiples of its period, exactly", "[ticker]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        ticker every{7ms};
        for (int i = 1; i <= 1000; ++i) {
            const std::uint64_t due = co_await every.tick();
            if (due != 1 || here.now() != i * 7ms) FAIL("tick " << i);
            co_await sleep(std::chrono::microseconds{i});
        }
        CHECK(every.next() == ringlet::deadline{} + 7007ms);
    }(loop));
}

TEST_CASE("missed ticks come in a burst, are skipped, or begin a new rhythm", "[ticker]") {
    checked_loop loop;
    const auto burst = loop.run(with_one_slow(missed_ticks::burst));
    CHECK(burst == std::vector<tick_at>{{10, 1}, {20, 1}, {55, 1}, {56, 1}, {57, 1}, {60, 1}, {70, 1}, {80, 1}});
    const auto skip = loop.run(with_one_slow(missed_ticks::skip));
    CHECK(skip == std::vector<tick_at>{{10, 1}, {20, 1}, {55, 3}, {60, 1}, {70, 1}, {80, 1}, {90, 1}, {100, 1}});
    const auto delay = loop.run(with_one_slow(missed_ticks::delay));
    CHECK(delay == std::vector<tick_at>{{10, 1}, {20, 1}, {55, 3}, {65, 1}, {75, 1}, {85, 1}, {95, 1}, {105, 1}});
}

TEST_CASE("a ticker may begin at once, and a cancelled wait takes no tick", "[ticker]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        ticker every{10ms, missed_ticks::skip, ringlet::clock::now()};
        const auto first = co_await every.tick();
        CHECK(first == 1);
        CHECK(here.now() == 0ms);
        const std::string late = co_await fate(ringlet::with_timeout(3ms, every.tick()));
        CHECK(contains(late, "a tick: time limit of 3 ms exceeded"));
        const auto second = co_await every.tick();
        CHECK(second == 1);
        CHECK(here.now() == 10ms);
        ticker forever{std::chrono::nanoseconds::max()};
        const auto none = co_await ringlet::move_on_after(1h, forever.tick());
        CHECK_FALSE(none.has_value());
    }(loop));
}

TEST_CASE("a ticker that is due lets the others run", "[ticker]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        ticker every{1ms};
        co_await sleep(5ms);
        bool ran = false;
        auto other = spawn(
            [](bool& r) -> task<> {
                r = true;
                co_return;
            },
            std::ref(ran));
        static_cast<void>(co_await every.tick());
        CHECK(ran);
        co_await other.join();
    }());
}

TEST_CASE("misuse of a ticker aborts", "[ticker][abort]") {
    CHECK(contains(last_words([] { const ticker wrong{0ms}; }), "period must be more than zero"));
    CHECK(contains(last_words([] {
                       ringlet::testing::virtual_loop loop;
                       loop.run([]() -> task<> {
                           ticker every{1ms};
                           auto wait = [](ticker& t) -> task<> { static_cast<void>(co_await t.tick()); };
                           auto a = spawn(wait, std::ref(every));
                           auto b = spawn(wait, std::ref(every));
                           co_await a.join();
                           co_await b.join();
                       }());
                   }),
                   "two jobs wait for the same ticker"));
}

TEST_CASE("a ticker survives cancellation and failure at every point", "[ticker][everywhere]") {
    const auto scenario = [](ringlet::testing::simulation&) -> task<> {
        static_cast<void>(co_await with_one_slow(missed_ticks::skip));
    };
    const auto cancelled = ringlet::testing::cancel_everywhere(scenario);
    CHECK(cancelled.points > 10);
    CHECK(cancelled.cancelled > 0);
    CHECK(cancelled.failed == 0);
    CHECK(ringlet::testing::fail_everywhere(scenario).points > 0);
}
