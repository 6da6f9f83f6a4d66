// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/thread.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <signal.h>

using namespace ringlet;
using namespace ringlet_tests;

namespace {

int add(int a, int b) { return a + b; }
task<int> add_slowly(int a, int b) {
    co_await sleep(1ms);
    co_return a + b;
}
task<> fail_there() {
    co_await yield();
    throw std::runtime_error{"it broke"};
}

task<> values() {
    os::thread plain{add, 20, 22};
    const int sum = co_await plain.join();
    CHECK(sum == 42);
    CHECK(plain.ended());
    os::thread with_loop{add_slowly, 1, 2};
    const int three = co_await with_loop.join();
    CHECK(three == 3);
    auto id = [] { return std::this_thread::get_id(); };
    os::thread other{id};
    const auto there = co_await other.join();
    CHECK(there != std::this_thread::get_id());
    auto box = [](std::unique_ptr<int>& b) { return std::move(b); };
    os::thread moves{box, std::make_unique<int>(7)};
    const std::unique_ptr<int> back = co_await moves.join();
    CHECK(*back == 7);
    auto mask = [] {
        sigset_t blocked;
        pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        return sigismember(&blocked, SIGTERM) == 1;
    };
    os::thread masked{mask};
    const bool blocked = co_await masked.join();
    CHECK(blocked);
}

task<> failures() {
    os::thread<void> broken{fail_there};
    const std::string why = co_await fate(broken.join());
    CHECK(why == "it broke");
    auto odd = [](int x) -> int { throw x; };
    os::thread throws{odd, 7};
    int caught = 0;
    try {
        co_await throws.join();
    } catch (const int x) {
        caught = x;
    }
    CHECK(caught == 7);
}

void wait_until(std::atomic<bool>& open) {
    while (!open) std::this_thread::yield();
}

task<> the_loop_goes_on() {
    std::atomic<bool> open = false;
    os::thread blocked{wait_until, std::ref(open)};
    int turns = 0;
    auto counting = spawn(
        [](int& n) -> task<> {
            for (; n < 100; ++n) co_await yield();
        },
        std::ref(turns));
    const std::string late = co_await fate(with_timeout(1ms, blocked.join()));
    CHECK(late.find("time limit of 1 ms exceeded") != late.npos);
    co_await counting.get();
    CHECK(turns == 100);
    auto joins = [](os::thread<void>& t) -> task<> { co_await t.join(); };
    auto given_up = spawn(joins, std::ref(blocked));
    co_await yield();
    given_up.cancel();
    co_await given_up.join();
    CHECK_FALSE(blocked.ended());
    open = true;
    co_await blocked.join();
}

task<> note(std::atomic<int>& count) {
    co_await sleep(1ms);
    ++count;
}

task<> at_the_end_of_the_scope() {
    std::atomic<int> ended = 0;
    {
        const os::thread one{note, std::ref(ended)};
        os::thread two{note, std::ref(ended)};
        two = os::thread{note, std::ref(ended)};
    }
    CHECK(ended == 3);
    co_return;
}

task<> many() {
    std::vector<os::thread<int>> all;
    for (int i = 0; i < 20; ++i) all.emplace_back(add_slowly, i, i);
    int wrong = 0;
    for (int i = 0; i < 20; ++i) {
        const int twice = co_await all[static_cast<std::size_t>(i)].join();
        wrong += twice == 2 * i ? 0 : 1;
    }
    CHECK(wrong == 0);
}

// Whichever comes first, the end or the cancellation.
task<> races() {
    auto joins = [](os::thread<int>& t) -> task<> { co_await t.join(); };
    for (int i = 0; i < 50; ++i) {
        os::thread t{add, 1, i};
        auto joining = spawn(joins, std::ref(t));
        for (int turns = 0; turns < i; ++turns) co_await yield();
        joining.cancel();
        co_await joining.join();
    }
}

}  // namespace

TEST_CASE("a thread's value comes back", "[os][thread]") {
    const leak_check leaks;
    run(values);
}
TEST_CASE("a thread's failure is thrown by join", "[os][thread]") {
    const leak_check leaks;
    run(failures);
}
TEST_CASE("the loop goes on while a thread is joined, and the join may be given up", "[os][thread]") {
    const leak_check leaks;
    run(the_loop_goes_on);
}
TEST_CASE("a thread is joined at the end of its scope", "[os][thread]") {
    const leak_check leaks;
    run(at_the_end_of_the_scope);
}
TEST_CASE("many threads, each with a loop", "[os][thread]") {
    const leak_check leaks;
    run(many);
}
TEST_CASE("a thread that ends while its join is cancelled", "[os][thread]") {
    const leak_check leaks;
    run(races);
}
