// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace ringlet_tests;
using ringlet::job;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;

namespace {

task<std::size_t> length_of(const std::string& text) {
    co_await sleep(1ms);
    co_return text.size();
}
task<std::size_t> view_length(std::string_view text) {
    co_await sleep(1ms);
    co_return text.find_last_of('y') + 1;
}
task<> append(std::string& text, std::string what) {
    co_await sleep(1ms);
    text += what;
}
task<int> value_of(std::unique_ptr<int> owned) {
    co_await sleep(1ms);
    co_return *owned;
}
task<int> value_of_rvalue(std::unique_ptr<int>&& owned) {
    co_await sleep(1ms);
    co_return *owned;
}
task<> append_owned(std::string& text, std::unique_ptr<std::string> what, const std::string& end) {
    co_await sleep(1ms);
    text += *what + end;
}
task<int> counted_by_value(counted c) {
    co_await sleep(1ms);
    co_return c.value();
}
task<int> counted_by_reference(const counted& c) {
    co_await sleep(1ms);
    co_return c.value();
}
task<> fails(std::string text) {
    co_await sleep(1ms);
    throw std::runtime_error{text};
}
task<> fails_next_turn(std::string text) {
    co_await ringlet::yield();
    throw std::runtime_error{text};
}
task<> fails_at_once() {
    throw std::runtime_error{"at once"};
    co_return;
}

struct account {
    int balance = 0;
    task<> pay_out(int& to, std::unique_ptr<int> amount) {
        co_await sleep(1ms);
        balance -= *amount;
        to += *amount;
    }
    task<int> add(int amount) {
        co_await sleep(1ms);
        balance += amount;
        co_return balance;
    }
    task<int> read() const { co_return balance; }
};

struct adder {
    int base;
    task<int> operator()(int n) const {
        co_await sleep(1ms);
        co_return base + n;
    }
};

struct throws_when_copied {
    throws_when_copied() = default;
    throws_when_copied(const throws_when_copied&) { throw std::runtime_error{"not copied"}; }
};
task<> takes_value(throws_when_copied, counted) { co_return; }
task<> takes_reference(const throws_when_copied&, const counted&) { co_return; }

}  // namespace

TEST_CASE("a job starts only when its spawner suspends", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        std::string log;
        auto j = spawn(
            [](std::string& l) -> task<> {
                l += 'j';
                co_return;
            },
            std::ref(log));
        log += 'm';
        CHECK_FALSE(j.ready());
        co_await j.join();
        CHECK(log == "mj");
        CHECK(j.ready());
    }());
}

TEST_CASE("spawn keeps what a reference parameter refers to alive", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto from_literal = spawn(length_of, "a text that is longer than any small string");
        auto from_temporary = spawn(length_of, std::string(100, 'x'));
        const std::size_t a = co_await from_literal.get();
        const std::size_t b = co_await from_temporary.get();
        CHECK(a == 43);
        CHECK(b == 100);
        // Also what only refers to its argument is kept.
        auto viewed = spawn(view_length, std::string(100, 'y'));
        auto in_lambda =
            spawn([](const std::string& s) -> task<std::size_t> { return length_of(s); }, "another long text");
        const std::size_t c = co_await viewed.get();
        const std::size_t d = co_await in_lambda.get();
        CHECK(c == 100);
        CHECK(d == 17);
    }());
}

TEST_CASE("std::ref passes the thing itself, anything else a copy", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        std::string text = "a";
        auto real = spawn(append, std::ref(text), "b");
        co_await real.join();
        CHECK(text == "ab");
        auto copy = spawn(append, text, "c");
        co_await copy.join();
        CHECK(text == "ab");
    }());
}

TEST_CASE("spawn moves move-only arguments", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto a = spawn(value_of, std::make_unique<int>(1));
        auto b = spawn(value_of_rvalue, std::make_unique<int>(2));
        const int one = co_await a.get();
        const int two = co_await b.get();
        CHECK(one + two == 3);
    }());
}

TEST_CASE("spawn passes each argument as its parameter wants it: kept by reference, or moved", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        std::string text = "a";
        auto own_copy = spawn(append_owned, text, std::make_unique<std::string>("b"), "c");
        auto real = spawn(append_owned, std::ref(text), std::make_unique<std::string>("b"), "c");
        co_await own_copy.get();
        co_await real.get();
        CHECK(text == "abc");
        account mine{10};
        int paid = 0;
        auto member = spawn(&account::pay_out, &mine, std::ref(paid), std::make_unique<int>(3));
        co_await member.get();
        CHECK(mine.balance == 7);
        CHECK(paid == 3);
    }());
}

TEST_CASE("spawn takes member functions, function objects and lambdas without captures", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        account mine;
        auto a = spawn(&account::add, std::ref(mine), 5);
        auto b = spawn(&account::add, &mine, 6);
        auto c = spawn(adder{10}, 1);
        auto d = spawn([](int n) -> task<int> { co_return n * 2; }, 4);
        const int first = co_await a.get();
        const int second = co_await b.get();
        const int third = co_await c.get();
        const int fourth = co_await d.get();
        CHECK(first == 5);
        CHECK(second == 11);
        CHECK(third == 11);
        CHECK(fourth == 8);
        auto e = spawn(&account::read, mine);  // a copy
        const int fifth = co_await e.get();
        CHECK(fifth == 11);
    }());
}

TEST_CASE("a task that exists already can be spawned", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto j = spawn(value_of(std::make_unique<int>(7)));
        const int n = co_await j.get();
        CHECK(n == 7);
    }());
}

TEST_CASE("the arguments of a finished job are gone although its handle is kept", "[job]") {
    checked_loop loop;
    loop.run([](int before) -> task<> {
        auto a = spawn(counted_by_value, counted{1});
        auto b = spawn(counted_by_reference, counted{2});
        co_await a.join();
        co_await b.join();
        CHECK(counted::alive == before);
        const int one = co_await a.get();
        const int two = co_await b.get();
        CHECK(one == 1);
        CHECK(two == 2);
    }(counted::alive));
}

TEST_CASE("the value of a job stays in it until it is taken or the handle goes", "[job]") {
    checked_loop loop;
    loop.run([](int before) -> task<> {
        auto j = spawn([]() -> task<counted> { co_return counted{3}; });
        co_await j.join();
        CHECK(counted::alive == before + 1);
        const int n = (co_await j.get()).value();
        CHECK(n == 3);
    }(counted::alive));
    CHECK(counted::alive == 0);
}

TEST_CASE("an argument that cannot be copied fails the spawn and leaves nothing behind", "[job]") {
    checked_loop loop;
    loop.run([](int before) -> task<> {
        const throws_when_copied bad;
        CHECK_THROWS_WITH(spawn(takes_value, bad, counted{1}), "not copied");
        CHECK_THROWS_WITH(spawn(takes_reference, bad, counted{1}), "not copied");
        CHECK(counted::alive == before);
        co_return;
    }(counted::alive));
}

TEST_CASE("get throws the job's failure, join does not", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto j = spawn(fails, "broken");
        co_await j.join();
        const std::string text = co_await fate(j.get());
        CHECK(text == "broken");
        auto k = spawn(fails_at_once);
        const std::string other = co_await fate(k.get());
        CHECK(other == "at once");
    }());
}

TEST_CASE("a failed job that nobody joins fails run, however its handle goes", "[job]") {
    checked_loop loop;
    SECTION("dropped before it ends: the rest is cancelled at once") {
        const auto main = []() -> task<> {
            {
                auto dropped = spawn(fails, "lost");
            }
            co_await sleep(1h);
        };
        CHECK_THROWS_WITH(loop.run(main()), "lost");
        CHECK(loop.now() == 1ms);
    }
    SECTION("dropped after it ended") {
        const auto main = []() -> task<> {
            std::optional<job<>> held = spawn(fails, "lost");
            co_await sleep(2ms);
            held.reset();
            co_await sleep(1h);
        };
        CHECK_THROWS_WITH(loop.run(main()), "lost");
        CHECK(loop.now() == 2ms);
    }
    SECTION("held by main until main ends") {
        const auto main = []() -> task<int> {
            auto held = spawn(fails, "lost");
            co_await sleep(2ms);
            co_return 1;
        };
        CHECK_THROWS_WITH(loop.run(main()), "lost");
    }
    SECTION("overwritten by another handle") {
        const auto main = []() -> task<> {
            auto held = spawn(fails, "lost");
            co_await sleep(2ms);
            held = spawn(append, std::string{}, "x");
            co_await held.join();
        };
        CHECK_THROWS_WITH(loop.run(main()), "lost");
    }
    SECTION("the first of several is thrown") {
        const auto main = []() -> task<> {
            for (const char* text : {"first", "second"}) spawn(fails, text);
            co_await sleep(1h);
        };
        CHECK_THROWS_WITH(loop.run(main()), "first");
    }
}

TEST_CASE("of several jobs that fail unjoined, all but the first are named on stderr", "[job]") {
    const std::string words = last_words([] {
        ringlet::testing::virtual_loop loop;
        const auto main = []() -> task<> {
            for (const char* text : {"first", "second", "third"}) spawn(fails_next_turn, text);
            co_await sleep(1h);
        };
        try {
            loop.run(main());
        } catch (const std::runtime_error& error) {
            std::fprintf(stderr, "thrown: %s\n", error.what());
        }
    });
    CHECK(contains(words,
                   "ringlet: another job failed as well: second\n"
                   "ringlet: another job failed as well: third\n"
                   "thrown: first\n"));
}

TEST_CASE("a failed job that was joined does not fail run", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto j = spawn(fails, "seen");
        co_await j.join();
    }());
}

TEST_CASE("what main leaves behind is cancelled and joined when it ends, and its failure is reported", "[job]") {
    checked_loop loop;
    std::string log;
    const auto sleeper = [](std::string& l, bool fail_at_end) -> task<> {
        const destruction_note gone{l, 'g'};
        try {
            co_await sleep(1h);
        } catch (const ringlet::cancelled&) {
            if (fail_at_end) throw std::runtime_error{"while cleaning up"};
            throw;
        }
    };
    const auto main = [](auto f, std::string& l, bool fail_at_end) -> task<int> {
        spawn(f, std::ref(l), fail_at_end);
        co_await sleep(1ms);
        l += 'm';
        co_return 4;
    };
    SECTION("without failure") {
        CHECK(loop.run(main(sleeper, log, false)) == 4);
        CHECK(log == "mg");
    }
    SECTION("with failure") {
        CHECK_THROWS_WITH(loop.run(main(sleeper, log, true)), "while cleaning up");
        CHECK(log == "mg");
    }
    SECTION("one that is just starting, too") {
        CHECK(loop.run([](auto f, std::string& l) -> task<int> {
            spawn(f, std::ref(l), false);
            co_return 5;
        }(sleeper, log)) == 5);
        CHECK((log.empty() || log == "g"));
    }
    CHECK(loop.now() <= 1ms);
}

TEST_CASE("main's own failure goes before those of other jobs", "[job]") {
    checked_loop loop;
    const auto main = []() -> task<> {
        auto held = spawn(fails, "the job's");
        co_await sleep(2ms);
        throw std::runtime_error{"main's"};
    };
    CHECK_THROWS_WITH(loop.run(main()), "main's");
}

TEST_CASE("a job may own or drop its own handle", "[job]") {
    checked_loop loop;
    using holder = std::shared_ptr<std::optional<job<>>>;
    const auto body = [](holder self, bool drop_early) -> task<> {
        co_await sleep(1ms);
        if (drop_early) self->reset();
        co_await sleep(1ms);
    };
    loop.run([](auto f) -> task<> {
        for (const bool drop_early : {false, true}) {
            auto self = std::make_shared<std::optional<job<>>>();
            *self = spawn(f, self, drop_early);
            self.reset();
            co_await sleep(5ms);
        }
    }(body));
    const auto fails_alone = [](holder) -> task<> {
        co_await sleep(1ms);
        throw std::runtime_error{"alone"};
    };
    CHECK_THROWS_WITH(loop.run([](auto f) -> task<> {
        auto self = std::make_shared<std::optional<job<>>>();
        *self = spawn(f, self);
        self.reset();
        co_await sleep(5ms);
    }(fails_alone)),
                      "alone");
}

TEST_CASE("jobs have names, and the await that each stands in can be told", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto a = spawn([]() -> task<> { co_await sleep(1ms); });
        const auto line = std::to_string(__LINE__ - 1);
        auto b = spawn(append, std::string{}, "x");
        CHECK(a.name().empty());
        a.set_name("sleeper");
        a.set_name("the sleeper");
        CHECK(a.name() == "the sleeper");
        b.set_name("writer");
        auto& here = ringlet::detail::current_scheduler();
        CHECK(contains(here.describe_jobs(), "writer: not started"));
        co_await ringlet::yield();
        CHECK(contains(here.describe_jobs(), "the sleeper: waits for sleep at "));
        CHECK(contains(here.describe_jobs(), "job_test.cpp:" + line));
        co_await a.join();
        co_await b.join();
        CHECK_FALSE(contains(here.describe_jobs(), "sleeper"));
    }());
}

TEST_CASE("ten thousand jobs at once end and leave nothing", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        std::vector<job<int>> jobs;
        for (int i = 0; i < 10'000; ++i) jobs.push_back(spawn(value_of, std::make_unique<int>(i)));
        const std::size_t ended = co_await ringlet::joinall(jobs);
        CHECK(ended == jobs.size());
        long sum = 0;
        for (auto& j : jobs) sum += co_await j.get();
        CHECK(sum == 49'995'000);
    }());
    CHECK(loop.now() == 1ms);
}
