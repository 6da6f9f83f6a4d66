// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/task_group.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/cancel_all.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/spawn_later.hpp>
#include <ringlet/time/timeout.hpp>
#include <ringlet/time/wait.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace ringlet_tests;
using ringlet::cancel_all;
using ringlet::iwait;
using ringlet::job;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::spawn_later;
using ringlet::task;
using ringlet::wait;
using ringlet::wait_options;
using std::chrono::nanoseconds;

namespace {

task<int> value_after(nanoseconds time, int value) {
    co_await sleep(time);
    if (value < 0) throw std::runtime_error{"negative"};
    co_return value;
}
std::vector<job<int>> three() {
    std::vector<job<int>> jobs;
    jobs.push_back(spawn(value_after, 30ms, 3));
    jobs.push_back(spawn(value_after, 10ms, 1));
    jobs.push_back(spawn(value_after, 20ms, 2));
    return jobs;
}
task<std::string> in_order_of_end(std::vector<job<int>>& jobs, wait_options options = wait_options()) {
    std::string order;
    auto ended = iwait(jobs, options);
    while (auto next = co_await ended.next()) {
        const int value = co_await (*next)->get();
        order += std::to_string(value);
    }
    co_return order;
}
task<> all_three_ways() {
    auto jobs = three();
    const wait_options first_two{std::nullopt, 2};
    const auto two = co_await wait(jobs, first_two);
    if (two.size() != 2) throw std::runtime_error{"not two"};
    const wait_options short_time{5ms};
    const std::string order = co_await in_order_of_end(jobs, short_time);
    if (order != "12") throw std::runtime_error{"another order: " + order};
    job<int> late = spawn_later(1s, value_after, 1ms, 9);
    std::vector<job<int>> one;
    one.push_back(std::move(late));
    const std::size_t ended = co_await cancel_all(one);
    if (ended != 1) throw std::runtime_error{"not one"};
    co_await ringlet::joinall(jobs);
}

}  // namespace

TEST_CASE("wait gives the jobs that have ended and raises nothing", "[wait]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        auto jobs = three();
        jobs.push_back(spawn(value_after, 15ms, -1));
        const wait_options until_16{16ms};
        const auto two = co_await wait(jobs, until_16);
        CHECK(here.now() == 16ms);
        REQUIRE(two.size() == 2);
        CHECK(two[0] == &jobs[1]);
        CHECK(two[1] == &jobs[3]);
        CHECK_FALSE(two[1]->successful());
        const wait_options three_of_them{std::nullopt, 3};
        const auto three_ready = co_await wait(jobs, three_of_them);
        CHECK(three_ready.size() == 3);
        CHECK(here.now() == 20ms);
        const auto all = co_await wait(jobs);
        CHECK(all.size() == 4);
        CHECK(here.now() == 30ms);
        const std::string why = co_await fate(two[1]->get());
        CHECK(why == "negative");
        std::vector<job<int>> none;
        const auto nothing = co_await wait(none);
        CHECK(nothing.empty());
    }(loop));
}

TEST_CASE("a failure that wait saw is still the handle's", "[wait]") {
    checked_loop loop;
    const auto main = []() -> task<> {
        {
            std::vector<job<int>> jobs;
            jobs.push_back(spawn(value_after, 1ms, -1));
            const auto ended = co_await wait(jobs);
            CHECK(ended.size() == 1);
        }
        co_await sleep(1h);
    };
    CHECK_THROWS_WITH(loop.run(main()), "negative");
}

TEST_CASE("cancelling who waits leaves the jobs running, and an outer limit is not wait's own", "[wait]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto jobs = three();
        const wait_options longer{15ms};
        const std::string outer = co_await fate(ringlet::with_timeout(5ms, wait(jobs, longer)));
        CHECK(contains(outer, "limit of 5 ms exceeded"));
        job<> waiter = spawn([](auto& j) -> task<> { static_cast<void>(co_await wait(j)); }, std::ref(jobs));
        co_await sleep(1ms);
        waiter.cancel();
        const std::string text = co_await fate(waiter.get());
        CHECK(text == "cancelled");
        const std::string order = co_await in_order_of_end(jobs);
        CHECK(order == "123");
    }());
}

TEST_CASE("iwait gives jobs in the order in which they end", "[wait][iwait]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        auto jobs = three();
        auto ended = iwait(jobs);
        const auto first = co_await ended.next();
        CHECK(*first == &jobs[1]);
        CHECK(here.now() == 10ms);
        job<int> taken = std::move(jobs[1]);  // it was given: it may go
        co_await sleep(1h);                   // both others end meanwhile
        const auto second = co_await ended.next();
        CHECK(*second == &jobs[2]);
        const auto third = co_await ended.next();
        CHECK(*third == &jobs[0]);
        const auto end = co_await ended.next();
        CHECK_FALSE(end.has_value());
    }(loop));
}

TEST_CASE("jobs that end at the same time come first in, first out", "[wait][iwait]") {
    checked_loop loop;
    const std::string order = loop.run([]() -> task<std::string> {
        std::vector<job<int>> jobs;
        for (int i = 0; i < 5; ++i) jobs.push_back(spawn([](int n) -> task<int> { co_return n; }, 4 - i));
        std::swap(jobs[0], jobs[4]);
        const std::string text = co_await in_order_of_end(jobs);
        co_return text;
    }());
    CHECK(order == "43210");  // as they were spawned, not as they stand
}

TEST_CASE("iwait ends at its count and at its timeout", "[wait][iwait]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        auto jobs = three();
        const wait_options two{std::nullopt, 2};
        auto counted = iwait(jobs, two);
        std::string order;
        while (auto next = co_await counted.next()) {
            const int value = co_await (*next)->get();
            order += std::to_string(value);
        }
        CHECK(order == "12");
        CHECK(here.now() == 20ms);
        std::vector<job<int>> last;
        last.push_back(std::move(jobs[0]));
        const wait_options short_time{5ms};
        auto timed = iwait(last, short_time);
        const auto nothing = co_await timed.next();
        CHECK_FALSE(nothing.has_value());
        CHECK(here.now() == 25ms);
        co_await sleep(10ms);
        const wait_options at_once{0ms};
        auto ready = iwait(last, at_once);
        const auto one = co_await ready.next();
        CHECK(one.has_value());
    }(loop));
}

TEST_CASE("an iwait that is left lets its jobs be joined by others", "[wait][iwait]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto jobs = three();
        {
            auto ended = iwait(jobs);
            static_cast<void>(co_await ended.next());
            co_await sleep(12ms);  // one more ends and is not asked for
        }
        const std::size_t all = co_await ringlet::joinall(jobs);
        CHECK(all == 3);
    }());
}

TEST_CASE("a job that an iwait has given may be watched by another", "[wait][iwait]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto jobs = three();
        std::vector<job<int>> given;
        {
            auto first = iwait(jobs);
            static_cast<void>(co_await first.next());
            given.push_back(std::move(jobs[1]));
        }
        auto again = iwait(given);
        const auto same = co_await again.next();
        CHECK(*same == given.data());
        co_await ringlet::joinall(given);
        jobs.erase(jobs.begin() + 1);
        co_await ringlet::joinall(jobs);
    }());
}

TEST_CASE("a handle that goes away before iwait has given it aborts", "[wait][abort]") {
    CHECK(contains(last_words([] {
                       ringlet::testing::virtual_loop loop;
                       loop.run([]() -> task<> {
                           auto jobs = three();
                           auto ended = iwait(jobs);
                           static_cast<void>(co_await ended.next());
                           const job<int> away = std::move(jobs[2]);
                           static_cast<void>(co_await ended.next());
                       }());
                   }),
                   "moved away before iwait had given it"));
}

TEST_CASE("joining a job that an iwait watches aborts", "[wait][abort]") {
    CHECK(contains(last_words([] {
                       ringlet::testing::virtual_loop loop;
                       loop.run([]() -> task<> {
                           auto jobs = three();
                           auto ended = iwait(jobs);
                           static_cast<void>(co_await ended.next());
                           co_await jobs[0].join();
                       }());
                   }),
                   "two jobs join the same job"));
}

TEST_CASE("cancel_all cancels every job and waits for all", "[cancel_all]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        auto jobs = three();
        jobs.push_back(spawn([]() -> task<int> {
            co_await ringlet::shield(sleep(7ms));
            throw std::runtime_error{"cannot end well"};
        }));
        co_await ringlet::yield();
        const std::size_t in_time = co_await cancel_all(jobs, 5ms);
        CHECK(in_time == 3);
        CHECK(here.now() == 5ms);
        const std::size_t all = co_await cancel_all(jobs);
        CHECK(all == 4);
        CHECK(here.now() == 7ms);
        CHECK(ringlet::detail::is_cancelled(jobs[0].exception()));
        CHECK_THROWS_WITH(std::rethrow_exception(jobs[3].exception()), "cannot end well");
    }(loop));
}

TEST_CASE("cancel_all asks the jobs to end even when its own job is being cancelled", "[cancel_all]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto jobs = three();
        job<> canceller = spawn(
            [](auto& all) -> task<> {
                try {
                    co_await sleep(1h);
                } catch (const ringlet::cancelled&) {
                }
                co_await cancel_all(all);
            },
            std::ref(jobs));
        co_await ringlet::yield();
        canceller.cancel();
        const std::string text = co_await fate(canceller.get());
        CHECK(text == "cancelled");
        const auto ended = co_await wait(jobs);
        for (const auto* each : ended) CHECK_FALSE(each->successful());
    }());
    CHECK(loop.now() == 0ms);
}

TEST_CASE("spawn_later starts a job when its time has come", "[spawn_later]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        std::string log;
        const auto note = [](std::string& text, char what) -> task<int> {
            text += what;
            co_return 1;
        };
        auto b = spawn_later(20ms, note, std::ref(log), 'b');
        auto a = spawn_later(10ms, note, std::ref(log), 'a');
        auto c = spawn_later(-1ms, note, std::ref(log), 'c');
        auto d = spawn_later(5ms, note(log, 'd'));
        co_await sleep(1ms);
        CHECK(log == "c");
        const int one = co_await b.get();
        CHECK(one == 1);
        CHECK(here.now() == 20ms);
        CHECK(log == "cdab");
        CHECK((a.ready() && c.ready() && d.ready()));
    }(loop));
}

TEST_CASE("a delayed job that is cancelled, or whose loop ends, never runs", "[spawn_later]") {
    const int before = counted::alive;
    {
        checked_loop loop;
        const auto never = [](const counted&) -> task<> {
            FAIL_CHECK("it ran");
            co_return;
        };
        loop.run([](auto f) -> task<> {
            job<> cancelled = spawn_later(10ms, f, counted{});
            cancelled.cancel();
            co_await cancelled.join();
            CHECK(ringlet::detail::is_cancelled(cancelled.exception()));
            static_cast<void>(spawn_later(1h, f, counted{}));
            job<> at_once = spawn_later(0ms, f, counted{});
            at_once.cancel();
        }(never));
        CHECK(loop.now() == 0ms);
    }
    CHECK(counted::alive == before);
}

TEST_CASE("waiting for jobs survives cancellation and failure at every point", "[wait][everywhere]") {
    const auto scenario = [](ringlet::testing::simulation&) { return all_three_ways(); };
    const auto cancelled = ringlet::testing::cancel_everywhere(scenario);
    INFO(cancelled.to_string());
    CHECK(cancelled.points > 6);
    CHECK(cancelled.cancelled > 0);
    CHECK(cancelled.failed == 0);
    const auto failed = ringlet::testing::fail_everywhere(scenario);
    INFO(failed.to_string());
    CHECK(failed.points > 10);
    CHECK(failed.failed > 0);
}
