// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/async_generator.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/generator.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <functional>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace ringlet_tests;
using ringlet::async_generator;
using ringlet::generator;
using ringlet::task;
using ringlet::yield_from;

namespace {

generator<int> count_to(int end) {
    for (int i = 1; i <= end; ++i) co_yield i;
}

// The running mean of what is sent.
generator<double, double> mean() {
    double sum = 0;
    int count = 0;
    double now = 0;
    for (;;) {
        const std::optional<double> got = co_yield now;
        if (!got) continue;
        sum += *got;
        now = sum / ++count;
    }
}

generator<int, void, std::string> two_and_a_word() {
    co_yield 1;
    co_yield 2;
    co_return "word";
}
generator<int, void, int> around() {
    co_yield 0;
    const std::string word = co_yield yield_from(two_and_a_word());
    co_yield 3;
    co_return static_cast<int>(word.size());
}

generator<int, int, int> echo_thrown() {
    int caught = 0;
    for (;;) {
        try {
            const std::optional<int> got = co_yield caught;
            if (got && *got < 0) co_return caught;
        } catch (const std::runtime_error&) {
            ++caught;
        }
    }
}
generator<int, int, int> hand_on() {
    const int inner = co_yield yield_from(echo_thrown());
    co_return inner * 10;
}

generator<int> note_end(std::string& log) {
    const destruction_note local{log, 'd'};
    try {
        co_yield 1;
        co_yield 2;
    } catch (const ringlet::generator_exit&) {
        log += 'x';
        throw;
    }
}

generator<int> stubborn() {
    for (;;) {
        try {
            co_yield 1;
        } catch (const ringlet::generator_exit&) {
        }
    }
}

generator<int> tree(int depth) {
    if (depth == 0) co_return;
    co_yield yield_from(tree(depth - 1));
    co_yield depth;
    co_yield yield_from(tree(depth - 1));
}
generator<int> deep(int depth) {
    if (depth > 0) co_yield yield_from(deep(depth - 1));
    co_yield depth;
}

async_generator<int> ticks(int count, std::string& log) {
    const destruction_note local{log, 'd'};
    for (int i = 0; i < count; ++i) {
        co_await ringlet::sleep(1ms);
        co_yield i;
        co_yield 10 + i;
    }
}

async_generator<int> closes_slowly(std::string& log) {
    bool closing = false;
    try {
        for (;;) co_yield 1;
    } catch (const ringlet::generator_exit&) {
        closing = true;
    }
    if (closing) co_await ringlet::sleep(5ms);
    log += 'c';
}

async_generator<int> logs_its_begin(std::string& log) {
    log += 'b';
    co_yield 1;
    co_yield 2;
}

task<int> sum_of_ticks(int count) {
    std::string log;
    async_generator<int> values = ticks(count, log);
    int sum = 0;
    while (const std::optional<int> value = co_await values.next()) sum += *value;
    co_return sum;
}

}  // namespace

TEST_CASE("a generator gives its values in a range-for and in views", "[generator]") {
    const leak_check leaks;
    std::vector<int> all;
    for (const int i : count_to(3)) all.push_back(i);
    CHECK(all == std::vector{1, 2, 3});
    all.clear();
    for (const int i : count_to(100) | std::views::filter([](int n) { return n % 7 == 0; }) | std::views::take(3))
        all.push_back(i);
    CHECK(all == std::vector{7, 14, 21});
}

TEST_CASE("next gives nullopt at the end, again and again", "[generator]") {
    const leak_check leaks;
    auto two = count_to(2);
    CHECK_FALSE(two.done());
    CHECK(two.next() == 1);
    CHECK(two.next() == 2);
    CHECK_FALSE(two.next().has_value());
    CHECK(two.done());
    CHECK_FALSE(two.next().has_value());
}

TEST_CASE("what is sent comes out of co_yield, but not at the first step", "[generator]") {
    const leak_check leaks;
    auto running = mean();
    CHECK_THROWS_AS(running.send(1.0), std::logic_error);
    CHECK(running.next() == 0.0);
    CHECK(running.send(10.0) == 10.0);
    CHECK(running.send(20.0) == 15.0);
    CHECK(running.next() == 15.0);
}

TEST_CASE("yield_from gives the values of another generator, and its result", "[generator]") {
    const leak_check leaks;
    auto all = around();
    CHECK_THROWS_AS(all.result(), std::logic_error);
    std::vector<int> got;
    for (const int i : all) got.push_back(i);
    CHECK(got == std::vector{0, 1, 2, 3});
    CHECK(all.result() == 4);
}

TEST_CASE("yield_from hands on what is sent and thrown", "[generator]") {
    const leak_check leaks;
    auto outer = hand_on();
    CHECK(outer.next() == 0);
    CHECK(outer.throw_(std::runtime_error{"one"}) == 1);
    CHECK(outer.send(5) == 1);
    CHECK(outer.throw_(std::runtime_error{"two"}) == 2);
    CHECK_FALSE(outer.send(-1).has_value());
    CHECK(outer.result() == 20);
}

TEST_CASE("yield_from goes on with a generator that has begun", "[generator]") {
    const leak_check leaks;
    auto begun = tree(3);
    CHECK(begun.next() == 1);
    auto outer = [](generator<int> inner) -> generator<int> {
        co_yield 100;
        co_yield yield_from(std::move(inner));
    }(std::move(begun));
    std::vector<int> rest;
    for (const int i : outer) rest.push_back(i);
    CHECK(rest == std::vector{100, 2, 1, 3, 1, 2, 1});
}

TEST_CASE("an exception leaves a generator once, and it has ended", "[generator]") {
    const leak_check leaks;
    auto breaks = []() -> generator<int> {
        co_yield 1;
        throw std::runtime_error{"broken"};
    }();
    CHECK(breaks.next() == 1);
    CHECK_THROWS_AS(breaks.next(), std::runtime_error);
    CHECK_FALSE(breaks.next().has_value());
    CHECK_THROWS_AS(breaks.result(), std::logic_error);
    auto thrown = count_to(5);
    CHECK_THROWS_AS(thrown.throw_(std::runtime_error{"before the first"}), std::runtime_error);
    CHECK(thrown.done());
}

TEST_CASE("close raises generator_exit where it stands", "[generator]") {
    const leak_check leaks;
    std::string log;
    auto open = note_end(log);
    CHECK(open.next() == 1);
    open.close();
    CHECK(log == "xd");
    CHECK(open.done());
    open.close();
    auto fresh = note_end(log);
    fresh.close();
    CHECK(log == "xd");
    CHECK_FALSE(fresh.next().has_value());
    auto stays = stubborn();
    CHECK(stays.next() == 1);
    CHECK_THROWS_AS(stays.close(), std::runtime_error);
    {
        auto dropped = note_end(log);
        CHECK(dropped.next() == 1);
    }
    CHECK(log == "xdd");
}

TEST_CASE("a generator that asks itself is told so", "[generator]") {
    generator<int>* self = nullptr;
    auto asks = [](generator<int>*& me) -> generator<int> {
        co_yield 1;
        me->next();
    }(self);
    self = &asks;
    CHECK(asks.next() == 1);
    CHECK_THROWS_AS(asks.next(), std::logic_error);
}

TEST_CASE("what is brought to a generator while it runs is refused, and forgotten", "[generator]") {
    generator<int, int>* self = nullptr;
    std::string log;
    auto body = [](generator<int, int>*& me, std::string& notes) -> generator<int, int> {
        co_yield 1;
        const auto refused = [&notes](auto&& call) {
            try {
                call();
            } catch (const std::logic_error&) {
                notes += 'r';
            }
        };
        refused([me] { me->send(7); });
        refused([me] { me->throw_(std::runtime_error{"never seen"}); });
        refused([me] { me->close(); });
        const std::optional<int> brought = co_yield 2;
        notes += brought ? 'b' : 'n';
        const std::optional<int> sent = co_yield 3;
        notes += sent ? 's' : 'n';
    };
    auto refuses = body(self, log);
    self = &refuses;
    CHECK(refuses.next() == 1);
    CHECK(refuses.next() == 2);
    CHECK(refuses.next() == 3);
    CHECK_FALSE(refuses.send(5).has_value());
    CHECK(log == "rrrns");
}

TEST_CASE("a generator goes on where it stood after it was moved; the one that it was moved from is at its end",
          "[generator]") {
    auto first = count_to(3);
    CHECK(first.next() == 1);
    auto second = std::move(first);
    CHECK(second.next() == 2);
    CHECK(first.done());
    CHECK_FALSE(first.next().has_value());
    first = std::move(second);
    CHECK(first.next() == 3);
    CHECK_FALSE(first.next().has_value());
}

TEST_CASE("deep delegation costs no stack", "[generator]") {
    int count = 0;
    auto all = deep(10'000);
    while (all.next()) ++count;
    CHECK(count == 10'001);
    auto dropped = deep(1'000'000);
    CHECK(dropped.next() == 0);
}

TEST_CASE("a generator that is dropped destroys those that it delegates to first", "[generator]") {
    const leak_check leaks;
    std::string log;
    const auto innermost = [](std::string* l) -> generator<int> {
        const destruction_note local{*l, 'i'};
        co_yield 1;
        co_yield 2;
    };
    const auto middle = [](std::string* l, generator<int> inner) -> generator<int> {
        const destruction_note local{*l, 'm'};
        co_yield yield_from(std::move(inner));
        co_yield 3;
    };
    const auto outer = [](std::string* l, generator<int> inner) -> generator<int> {
        const destruction_note local{*l, 'o'};
        co_yield yield_from(std::move(inner));
        co_yield 4;
    };
    {
        auto all = outer(&log, middle(&log, innermost(&log)));
        CHECK(all.next() == 1);
        all = outer(&log, middle(&log, innermost(&log)));
        CHECK(log == "imo");
        for (int i = 1; i <= 3; ++i) CHECK(all.next() == i);
        CHECK(log == "imoi");
    }
    CHECK(log == "imoimo");
    log.clear();
    {
        auto begun = middle(&log, innermost(&log));
        CHECK(begun.next() == 1);
        auto all = outer(&log, std::move(begun));
        CHECK(all.next() == 2);
    }
    CHECK(log == "imo");
}

TEST_CASE("an async generator waits between its values, in the job that asks", "[generator][async]") {
    checked_loop loop;
    CHECK(loop.run(sum_of_ticks(3)) == 36);
    CHECK(loop.now() == 3ms);
}

TEST_CASE("a time limit reaches what an async generator waits for", "[generator][async]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        std::string log;
        async_generator<int> values = ticks(3, log);
        const auto first = co_await values.next();
        CHECK(first == 0);
        const auto second = co_await values.next();
        CHECK(second == 10);
        const std::string late = co_await fate(ringlet::with_timeout(100us, values.next()));
        CHECK(contains(late, "time limit of 100"));
        CHECK(values.done());
        CHECK(log == "d");
        const auto end = co_await values.next();
        CHECK_FALSE(end.has_value());
    }());
}

TEST_CASE("an async generator may be dropped, or closed with clean-up that waits", "[generator][async]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        {
            async_generator<int> dropped = ticks(3, l);
            static_cast<void>(co_await dropped.next());
        }
        CHECK(l == "d");
        async_generator<int> slow = closes_slowly(l);
        static_cast<void>(co_await slow.next());
        co_await slow.close();
        CHECK(l == "dc");
        CHECK(slow.done());
        co_await slow.close();
    }(log));
    CHECK(loop.now() == 6ms);
}

TEST_CASE("an async generator whose body has not begun is closed without it", "[generator][async]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        async_generator<int> lost = logs_its_begin(l);
        // The winner has ended before the other child starts, which then never does.
        const auto first = co_await ringlet::first_of([]() -> task<> { co_return; }(), lost.next());
        CHECK(first.index() == 0);
        CHECK_FALSE(lost.done());
        co_await lost.close();
        CHECK(lost.done());
        const auto none = co_await lost.next();
        CHECK_FALSE(none.has_value());
        CHECK(l.empty());
        async_generator<int> asked = logs_its_begin(l);
        {
            [[maybe_unused]] const auto dropped = asked.next();
        }
        const auto value = co_await asked.next();
        CHECK(value == 1);
        CHECK(l == "b");
        co_await asked.close();
        CHECK(asked.done());
    }(log));
}

TEST_CASE("misuse of an async generator aborts", "[generator][async][abort]") {
    const std::string moved = "this async_generator was moved from: ask the one that it was moved to";
    CHECK(contains(last_words([] {
                       std::string log;
                       auto first = logs_its_begin(log);
                       const auto second = std::move(first);
                       static_cast<void>(first.next());
                   }),
                   moved));
    CHECK(contains(last_words([] {
                       std::string log;
                       auto first = logs_its_begin(log);
                       const auto second = std::move(first);
                       static_cast<void>(first.done());
                   }),
                   moved));
    CHECK(contains(last_words([] {
                       ringlet::testing::virtual_loop loop;
                       loop.run([]() -> task<> {
                           std::string log;
                           async_generator<int> values = ticks(3, log);
                           co_await ringlet::when_all(values.next(), values.next());
                       }());
                   }),
                   "while it works on one: let one job ask, and tell the others"));
    CHECK(contains(last_words([] {
                       ringlet::testing::virtual_loop loop;
                       loop.run([]() -> task<> {
                           std::string log;
                           async_generator<int> values = ticks(3, log);
                           auto waiter = ringlet::spawn(
                               [](async_generator<int>& v) -> task<> { static_cast<void>(co_await v.next()); },
                               std::ref(values));
                           co_await ringlet::yield();
                           values = ticks(2, log);
                           co_await waiter.join();
                       }());
                   }),
                   "was destroyed while a job waits in it: cancel and join that job first"));
}

TEST_CASE("an async generator survives cancellation at every point", "[generator][async]") {
    const auto scenario = [](ringlet::testing::simulation&) -> task<> { static_cast<void>(co_await sum_of_ticks(4)); };
    const auto report = ringlet::testing::cancel_everywhere(scenario);
    CHECK(report.points > 4);
    CHECK(report.cancelled > 0);
    CHECK(report.failed == 0);
}
