// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/sync/pool.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace ringlet_tests;
using ringlet::job;
using ringlet::pool;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet::with_pool;

namespace {

// No braces within a co_await expression: g++ 12 does not compile them.
template <class... N>
std::vector<int> numbers(N... each) {
    return {each...};
}

// How many go on, and the most that ever did.
struct gauge {
    int now = 0;
    int most = 0;
};
struct counted_in {
    gauge& of;
    explicit counted_in(gauge& g) : of{g} { of.most = std::max(of.most, ++of.now); }
    ~counted_in() { --of.now; }
    counted_in(const counted_in&) = delete;
};
task<int> work(gauge& g, int number, std::chrono::nanoseconds time) {
    const counted_in here{g};
    co_await sleep(time);
    co_return number;
}
task<int> square(int n) {
    co_await sleep(std::chrono::milliseconds{10 - n});
    if (n < 0) throw std::runtime_error{"negative"};
    co_return n* n;
}
task<> note(std::string& log, char name, std::chrono::nanoseconds time) {
    log += name;
    co_await sleep(time);
}

task<int> sum_by_pool(pool& p, gauge& g) {
    const std::vector<int> numbers{1, 2, 3, 4, 5};
    const std::vector<int> squares = co_await p.map(square, numbers);
    int sum = std::accumulate(squares.begin(), squares.end(), 0);
    auto values = p.imap_unordered(square, std::vector<int>{1, 2, 3});
    while (auto value = co_await values.next()) sum += *value;
    job<int> spawned = co_await p.spawn(work, std::ref(g), 100, 1ms);
    job<int> handed_over = p.apply_async(work, std::ref(g), 1000, 1ms);
    job<int> waits = p.apply_async(work, std::ref(g), 10000, 1ms);
    sum += co_await spawned.get();
    sum += co_await waits.get();
    sum += co_await handed_over.get();
    co_return sum;
}
task<> pooled_work() {
    gauge g;
    const int sum = co_await with_pool(2, sum_by_pool, std::ref(g));
    if (sum != 55 + 14 + 11100 || g.most != 2) throw std::runtime_error{"wrong sum, or too many at a time"};
}

}  // namespace

TEST_CASE("a pool runs so many jobs at a time, first come first served", "[pool]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        pool p{2};
        gauge g;
        std::vector<job<int>> jobs;
        for (int i = 0; i < 5; ++i) {
            jobs.push_back(co_await p.spawn(work, std::ref(g), i, 10ms));
            CHECK(here.now() == i / 2 * 10ms);
            CHECK(p.size() <= 2);
        }
        CHECK(p.free_count() == 1);
        co_await ringlet::joinall(jobs);
        CHECK(here.now() == 30ms);
        CHECK(g.most == 2);
        CHECK(p.free_count() == 2);
        CHECK(p.size() == 0);
        CHECK(p.capacity() == 2);
    }(loop));
}

TEST_CASE("who waits for room and jobs that wait for it share one line", "[pool]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        pool p{1};
        auto a = p.apply_async(note, std::ref(l), 'a', 1ms);
        auto b = p.apply_async(note, std::ref(l), 'b', 1ms);
        job<> other = spawn(
            [](pool& in, std::string& text) -> task<> {
                job<> c = co_await in.spawn(note, std::ref(text), 'c', 1ms);
                co_await c.join();
            },
            std::ref(p), std::ref(l));
        co_await ringlet::yield();
        auto d = p.apply_async(note, std::ref(l), 'd', 1ms);
        CHECK(p.size() == 3);  // c is not made a job before it has room
        p.close();
        co_await p.join();
        CHECK(d.successful());
        co_await other.get();
    }(log));
    CHECK(log == "abcd");
    CHECK(loop.now() == 4ms);
}

TEST_CASE("try_spawn starts a job only if there is room, and else takes nothing", "[pool]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        pool p{1};
        auto take = [](std::unique_ptr<int> n) -> task<int> {
            co_await sleep(1ms);
            co_return *n;
        };
        auto one = std::make_unique<int>(1);
        auto two = std::make_unique<int>(2);
        auto first = p.try_spawn(take, std::move(one));
        REQUIRE(first.has_value());
        const auto second = p.try_spawn(take, std::move(two));
        CHECK_FALSE(second.has_value());
        CHECK(two != nullptr);
        const int value = co_await first->get();
        CHECK(value == 1);
    }());
}

TEST_CASE("what a pool job was to do can be cancelled while it waits for room", "[pool]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        pool p{1};
        auto a = p.apply_async(note, std::ref(l), 'a', 5ms);
        auto b = p.apply_async(note, std::ref(l), 'b', 5ms);
        auto c = p.apply_async(note, std::ref(l), 'c', 5ms);
        b.cancel();
        const std::string late = co_await fate(ringlet::with_timeout(1ms, p.spawn(note, std::ref(l), 'x', 1ms)));
        CHECK(contains(late, "room in a pool: time limit of 1 ms"));
        co_await a.join();
        c.cancel();  // it has its room already, and has not begun
        co_await c.join();
        CHECK(p.free_count() == 1);
        auto d = p.try_spawn(note, std::ref(l), 'd', 1ms);
        co_await d->join();
    }(log));
    CHECK(log == "ad");
    CHECK(loop.now() == 6ms);
}

TEST_CASE("map gives the values in the order of the items", "[pool][map]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        pool p{3};
        const std::vector<int> numbers{1, 2, 3, 4, 5, 6};
        const auto squares = co_await p.map(square, numbers);
        CHECK(squares == std::vector<int>{1, 4, 9, 16, 25, 36});
        CHECK(here.now() == 13ms);
        const auto lazily = co_await p.map(square, std::views::iota(7, 10));
        CHECK(lazily == std::vector<int>{49, 64, 81});
        const auto nothing = co_await p.map(square, std::vector<int>{});
        CHECK(nothing.empty());
        int sum = 0;
        const auto count = [](int* n) -> task<> {
            ++*n;
            co_return;
        };
        const std::vector<int*> thrice{&sum, &sum, &sum};
        co_await p.map(count, thrice);
        CHECK(sum == 3);
        auto moved = [](std::unique_ptr<int> n) -> task<std::unique_ptr<int>> {
            co_await ringlet::yield();
            co_return std::move(n);
        };
        std::vector<std::unique_ptr<int>> owned;
        owned.push_back(std::make_unique<int>(5));
        const auto back = co_await p.map(moved, owned | std::views::transform([](auto& x) { return std::move(x); }));
        CHECK(*back.at(0) == 5);
    }(loop));
}

TEST_CASE("the first failure of a map cancels the rest and leaves out what was not begun", "[pool][map]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        pool p{2};
        std::string log;
        auto step = [](std::string* l, int n) -> task<> {
            *l += std::to_string(n);
            co_await sleep(std::chrono::milliseconds{n});
            if (n == 2) throw std::runtime_error{"two"};
            *l += '.';
        };
        auto bound = [step, &log](int n) { return step(&log, n); };
        const std::string end = co_await fate(p.map(bound, numbers(1, 2, 3, 4, 5)));
        CHECK(end == "two");
        CHECK(log == "12.3");
        CHECK(here.now() == 2ms);
        CHECK(p.free_count() == 2);
        job<> mapping = spawn([](pool& in) -> task<> { static_cast<void>(co_await in.map(square, numbers(1, 2, 3))); },
                              std::ref(p));
        co_await sleep(1ms);
        CHECK(p.size() == 2);
        mapping.cancel();
        const std::string text = co_await fate(mapping.get());
        CHECK(text == "cancelled");
        CHECK(p.size() == 0);
    }(loop));
}

TEST_CASE("imap_unordered gives values as they come", "[pool][imap]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        pool p{3};
        std::string order;
        auto values = p.imap_unordered(square, std::vector<int>{1, 2, 3, 4});
        while (auto value = co_await values.next()) order += std::to_string(*value) + " ";
        CHECK(order == "9 4 1 16 ");  // at 7, 8, 9 and 7 + 6 ms
        CHECK(here.now() == 13ms);
        auto failing = p.imap_unordered(square, std::vector<int>{9, -1, 5});
        const auto first = co_await failing.next();
        CHECK(first == 81);
        const auto second = co_await failing.next();
        CHECK(second == 25);
        std::string text;
        try {
            static_cast<void>(co_await failing.next());
        } catch (const std::runtime_error& error) {
            text = error.what();
        }
        CHECK(text == "negative");
        CHECK(failing.done());
    }(loop));
}

TEST_CASE("an imap_unordered that is left cancels its jobs, and close waits for them", "[pool][imap]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        pool p{2};
        gauge g;
        auto slow = [&g](int n) { return work(g, n, std::chrono::milliseconds{n}); };
        auto closed = p.imap_unordered(slow, std::views::iota(1));
        static_cast<void>(co_await closed.next());
        CHECK(p.size() == 2);
        co_await closed.close();
        CHECK(p.size() == 0);
        CHECK(here.now() == 1ms);
        {
            auto dropped = p.imap_unordered(slow, std::views::iota(1));
            static_cast<void>(co_await dropped.next());
        }
        CHECK(p.size() == 2);
        p.close();
        co_await p.join();
        CHECK(here.now() == 2ms);
        CHECK(g.now == 0);
    }(loop));
}

TEST_CASE("failures of a pool's jobs go the way of all jobs", "[pool]") {
    checked_loop loop;
    const auto fails = []() -> task<> {
        co_await sleep(1ms);
        throw std::runtime_error{"failed"};
    };
    SECTION("to who asks, and the pool goes on") {
        loop.run([](auto f) -> task<> {
            pool p{1};
            job<> bad = p.apply_async(f);
            job<int> good = p.apply_async(square, 5);
            const std::string text = co_await fate(bad.get());
            CHECK(text == "failed");
            const int value = co_await good.get();
            CHECK(value == 25);
        }(fails));
    }
    SECTION("to the loop's root when the handle is dropped, before the end or after") {
        const auto main = [](auto f, bool after) -> task<> {
            pool p{1};
            {
                job<> bad = p.apply_async(f);
                if (after) co_await sleep(2ms);
            }
            co_await sleep(1h);
        };
        CHECK_THROWS_WITH(loop.run(main(fails, false)), "failed");
        CHECK_THROWS_WITH(loop.run(main(fails, true)), "failed");
    }
}

TEST_CASE("a closed pool takes nothing more; join waits for what is there", "[pool]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        pool p{1};
        gauge g;
        CHECK_THROWS_AS(p.join(), std::logic_error);
        auto a = p.apply_async(work, std::ref(g), 1, 5ms);
        auto b = p.apply_async(work, std::ref(g), 2, 5ms);
        p.close();
        CHECK_THROWS_AS(p.apply_async(square, 1), std::logic_error);
        CHECK_THROWS_AS(p.try_spawn(square, 1), std::logic_error);
        CHECK_THROWS_AS(p.spawn(square, 1), std::logic_error);
        const std::string text = co_await fate(p.map(square, numbers(1)));
        CHECK(contains(text, "the pool is closed"));
        const std::string late = co_await fate(ringlet::with_timeout(1ms, p.join()));
        CHECK(contains(late, "the end of a pool's jobs: time limit"));
        co_await p.join();
        CHECK(here.now() == 10ms);
        CHECK(b.successful());
        co_await p.join();
    }(loop));
}

TEST_CASE("cancelling a pool ends its jobs, those that wait for room among them", "[pool]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        pool p{1};
        gauge g;
        auto a = p.apply_async(work, std::ref(g), 1, 1h);
        auto b = p.apply_async(work, std::ref(g), 2, 1h);
        job<std::string> waits = spawn(
            [](pool& in, gauge& of) -> task<std::string> {
                job<int> c = co_await in.spawn(work, std::ref(of), 3, 1h);
                const std::string end = co_await fate(c.get());
                co_return end;
            },
            std::ref(p), std::ref(g));
        co_await ringlet::yield();
        p.cancel();
        co_await p.join();
        CHECK(ringlet::detail::is_cancelled(a.exception()));
        CHECK(ringlet::detail::is_cancelled(b.exception()));
        const std::string third = co_await waits.get();
        CHECK(third == "cancelled");
    }());
    CHECK(loop.now() == 0ms);
}

TEST_CASE("with_pool does not end before its jobs, and cancels them when it fails", "[pool]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        gauge g;
        const int value = co_await with_pool(
            2,
            [](pool& p, gauge& of) -> task<int> {
                for (int i = 0; i < 3; ++i) static_cast<void>(p.apply_async(work, std::ref(of), i, 10ms));
                co_return 7;
            },
            std::ref(g));
        CHECK(value == 7);
        CHECK(here.now() == 20ms);
        const auto fails = [](pool& p, gauge& of) -> task<> {
            static_cast<void>(p.apply_async(work, std::ref(of), 1, 1h));
            co_await sleep(1ms);
            throw std::runtime_error{"body"};
        };
        const std::string text = co_await fate(with_pool(2, fails, std::ref(g)));
        CHECK(text == "body");
        CHECK(here.now() == 21ms);
        CHECK(g.now == 0);
        const auto hangs = [](pool& p, gauge& of) -> task<> {
            static_cast<void>(p.apply_async(work, std::ref(of), 1, 1h));
            co_return;
        };
        const std::string late = co_await fate(ringlet::with_timeout(1ms, with_pool(2, hangs, std::ref(g))));
        CHECK(contains(late, "limit of 1 ms exceeded"));
        CHECK(g.now == 0);
    }(loop));
}

TEST_CASE("a pool that goes before its jobs aborts, as one without room", "[pool][abort]") {
    CHECK(contains(last_words([] {
                       ringlet::testing::virtual_loop loop;
                       loop.run([]() -> task<> {
                           pool p{1};
                           static_cast<void>(p.apply_async(square, 1));
                           co_await ringlet::yield();
                       }());
                   }),
                   "a pool was destroyed while jobs of it still run"));
    CHECK(contains(last_words([] {
                       ringlet::testing::virtual_loop loop;
                       loop.run([]() -> task<> {
                           const pool none{0};
                           co_return;
                       }());
                   }),
                   "a pool without room would run nothing: give it a size of at least 1"));
}

TEST_CASE("a pool survives cancellation and failure at every point", "[pool][everywhere]") {
    const auto scenario = [](ringlet::testing::simulation&) { return pooled_work(); };
    const auto cancelled = ringlet::testing::cancel_everywhere(scenario);
    INFO(cancelled.to_string());
    CHECK(cancelled.points > 20);
    CHECK(cancelled.cancelled > 0);
    CHECK(cancelled.failed == 0);
    const auto failed = ringlet::testing::fail_everywhere(scenario);
    INFO(failed.to_string());
    CHECK(failed.points > 30);
    CHECK(failed.failed > 0);
}
