// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/sync/condition.hpp>
#include <ringlet/sync/mutex.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace ringlet_tests;
using ringlet::condition;
using ringlet::mutex;
using ringlet::spawn;
using ringlet::task;

namespace {

task<> hold(mutex& lock, char name, std::string& log) {
    const auto held = co_await lock.lock();
    log += name;
    co_await ringlet::sleep(1ms);
    log += name;
}

task<> change_when_told(mutex& lock, condition& told, bool& go, std::string& log) {
    auto held = co_await lock.lock();
    co_await told.wait(held, [&go] { return go; });
    if (!lock.locked()) throw std::logic_error{"the mutex is not held after the wait"};
    log += 'w';
}

task<> three_hold_in_turn() {
    mutex lock;
    std::string log;
    auto body = [](ringlet::task_group& group, mutex& m, std::string& l) -> task<> {
        for (const char name : {'a', 'b', 'c'}) group.spawn(hold, std::ref(m), name, std::ref(l));
        co_return;
    };
    co_await ringlet::with_task_group(body, std::ref(lock), std::ref(log));
    if (log != "aabbcc") throw std::logic_error{"they did not hold it in turn: " + log};
}

task<> one_tells_two() {
    mutex lock;
    condition told;
    bool go = false;
    std::string log;
    auto body = [](ringlet::task_group& group, mutex& m, condition& c, bool& flag, std::string& l) -> task<> {
        for (int i = 0; i < 2; ++i)
            group.spawn(change_when_told, std::ref(m), std::ref(c), std::ref(flag), std::ref(l));
        co_await ringlet::sleep(1ms);
        const auto held = co_await m.lock();
        c.notify_one();  // for nothing: the flag is down
        co_await ringlet::yield();
        flag = true;
        c.notify_all();
    };
    co_await ringlet::with_task_group(body, std::ref(lock), std::ref(told), std::ref(go), std::ref(log));
    if (log != "ww") throw std::logic_error{"not both went on: " + log};
}

task<ringlet::mutex_guard> lock_for_others(mutex& lock) { co_return co_await lock.lock(); }

task<ringlet::mutex_guard> lock_by_another_job(mutex& lock) {
    auto taker = spawn(lock_for_others, std::ref(lock));
    taker.set_name("a name that is too long to stand within the string itself");
    co_return co_await taker.get();
}

task<> lock_and_unlock(mutex& lock) { const auto held = co_await lock.lock(); }

task<std::string> report_with_a_guard_of_an_ended_job() {
    mutex lock;
    auto held = co_await lock_by_another_job(lock);
    auto waiter = spawn(lock_and_unlock, std::ref(lock));
    co_await ringlet::yield();
    std::string told = ringlet::describe_tasks();
    held.unlock();
    co_await waiter.join();
    co_return told;
}

// Keeps what it has locked in `place`, beyond its own end.
task<> lock_and_leave(mutex& lock, std::optional<ringlet::mutex_guard>& place) { place.emplace(co_await lock.lock()); }
task<> wait_for_long(mutex& own) {
    const auto held = co_await own.lock();
    co_await ringlet::sleep(1h);
}
task<> lock_twice(mutex& lock) {
    const auto held = co_await lock.lock();
    const auto again = co_await lock.lock();
}

// The block of the job that locked is given to others at once, which lock something, too: one waits elsewhere, one for it.
task<std::string> report_with_blocks_used_again() {
    mutex lock;
    mutex other;
    std::optional<ringlet::mutex_guard> kept;
    {
        auto locker = spawn(lock_and_leave, std::ref(lock), std::ref(kept));
        co_await locker.join();
    }
    std::vector<ringlet::job<>> others;
    for (int i = 0; i < 3; ++i) {
        others.push_back(spawn(i == 0 ? lock_and_unlock : wait_for_long, std::ref(i == 0 ? lock : other)));
        others.back().set_name("innocent");
    }
    co_await ringlet::yield();
    std::string told = ringlet::describe_tasks();
    for (auto& each : others) each.cancel();
    for (auto& each : others) co_await each.join();
    co_return told;
}

}  // namespace

TEST_CASE("a report names no job that got the place of the one that locked", "[sync][mutex]") {
    checked_loop loop;
    const std::string told = loop.run(report_with_blocks_used_again());
    CAPTURE(told);
    CHECK(contains(told, "innocent: waits for a mutex that was locked by a job that has ended at "));
    CHECK_FALSE(contains(told, "that it holds itself"));
    CHECK(contains(told, "held by innocent"));  // the other mutex
    loop.run([]() -> task<> {
        mutex lock;
        auto stuck = spawn(lock_twice, std::ref(lock));
        co_await ringlet::sleep(1ms);
        CHECK(contains(ringlet::describe_tasks(), "a mutex that it holds itself"));
        stuck.cancel();
        co_await stuck.join();
    }());
}

TEST_CASE("a report tells who holds a mutex by the words that it lists that job with, named or not", "[sync][mutex]") {
    checked_loop loop;
    const std::string told = loop.run([]() -> task<std::string> {
        mutex lock;
        auto holder = spawn(wait_for_long, std::ref(lock));
        auto waiter = spawn(lock_and_unlock, std::ref(lock));
        waiter.set_name("waiter");
        co_await ringlet::sleep(1ms);
        std::string text = ringlet::describe_tasks();
        waiter.cancel();
        holder.cancel();
        co_await waiter.join();
        co_await holder.join();
        co_return text;
    }());
    CAPTURE(told);
    const std::size_t end = told.find(": waits for sleep");
    REQUIRE(end != told.npos);
    const std::size_t begin = told.rfind("job 0x", end);
    REQUIRE(begin != told.npos);
    CHECK(contains(told, "waiter: waits for a mutex held by " + told.substr(begin, end - begin) + " at "));
}

TEST_CASE("a report does not ask a job that has ended who it was", "[sync][mutex]") {
    checked_loop loop;
    CHECK(contains(loop.run(report_with_a_guard_of_an_ended_job()),
                   "waits for a mutex that was locked by a job that has ended at "));
}

TEST_CASE("a mutex is held by one job at a time, first come, first served", "[sync][mutex]") {
    checked_loop loop;
    loop.run(three_hold_in_turn());
    CHECK(loop.now() == 3ms);
}

TEST_CASE("try_lock takes a free mutex only, and nobody overtakes who waits", "[sync][mutex]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        mutex lock;
        std::string log;
        {
            const auto held = lock.try_lock();
            CHECK(held.has_value());
            CHECK_FALSE(lock.try_lock().has_value());
            CHECK(lock.locked());
            auto waiter = spawn(hold, std::ref(lock), 'w', std::ref(log));
            co_await ringlet::yield();
            const_cast<ringlet::mutex_guard&>(*held).unlock();
            CHECK_FALSE(lock.try_lock().has_value());  // it is the waiter's already
            co_await waiter.join();
        }
        CHECK_FALSE(lock.locked());
        CHECK(log == "ww");
    }());
}

TEST_CASE("who takes a free mutex lets the jobs that are ready run first", "[sync][mutex]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        std::string log;
        auto body = [](ringlet::task_group& group, std::string& l) -> task<> {
            for (const char name : {'a', 'b'}) {
                group.spawn(
                    [](char who, std::string& order) -> task<> {
                        mutex free;
                        for (int i = 0; i < 3; ++i) {
                            const auto held = co_await free.lock();
                            order += who;
                        }
                    },
                    name, std::ref(l));
            }
            co_return;
        };
        co_await ringlet::with_task_group(body, std::ref(log));
        CHECK(log == "ababab");
    }());
}

TEST_CASE("a wait for a mutex ends by its limit, and the lock goes to the next", "[sync][mutex]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        mutex lock;
        std::string log;
        auto holder = spawn(hold, std::ref(lock), 'h', std::ref(log));
        co_await ringlet::yield();
        auto hasty = spawn(
            [](mutex& m) -> task<std::string> { co_return co_await fate(ringlet::with_timeout(100us, m.lock())); },
            std::ref(lock));
        auto patient = spawn(hold, std::ref(lock), 'p', std::ref(log));
        const std::string text = co_await hasty.get();
        CHECK(contains(text, "a mutex: time limit of 100"));
        co_await holder.join();
        co_await patient.join();
        CHECK(log == "hhpp");
    }());
}

TEST_CASE("a lock that comes as late as the cancellation is held, and unlocked again", "[sync][mutex]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        mutex lock;
        auto first = co_await lock.lock();
        auto second = spawn(
            [](mutex& m) -> task<> {
                const auto held = co_await m.lock();
                co_await ringlet::sleep(1h);
            },
            std::ref(lock));
        co_await ringlet::yield();
        first.unlock();
        second.cancel();
        co_await second.join();
        CHECK_FALSE(lock.locked());
    }());
}

TEST_CASE("a deadlock report names who holds the mutex", "[sync][mutex]") {
    checked_loop loop;
    std::string text;
    try {
        loop.run([]() -> task<> {
            mutex lock;
            const auto held = co_await lock.lock();
            auto again = spawn(
                [](mutex& m) -> task<> {
                    const auto first = co_await m.lock();
                    const auto twice = co_await m.lock();
                },
                std::ref(lock));
            again.set_name("greedy");
            co_await again.join();
        }());
    } catch (const ringlet::deadlock_error& error) {
        text = error.what();
    }
    CHECK(contains(text, "greedy: waits for a mutex"));
}

TEST_CASE("a condition wakes who waits when what it waits for holds", "[sync][condition]") {
    checked_loop loop;
    loop.run(one_tells_two());
}

TEST_CASE("a condition's wait holds the mutex again when it is cancelled", "[sync][condition]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        mutex lock;
        condition never;
        bool held_at_end = false;
        auto waiter = spawn(
            [](mutex& m, condition& c, bool& held_then) -> task<> {
                auto held = co_await m.lock();
                try {
                    co_await c.wait(held);
                } catch (const ringlet::cancelled&) {
                    held_then = held.owns_lock();
                    throw;
                }
            },
            std::ref(lock), std::ref(never), std::ref(held_at_end));
        co_await ringlet::sleep(1ms);
        auto ours = co_await lock.lock();
        waiter.cancel();
        co_await ringlet::sleep(1ms);
        CHECK_FALSE(waiter.ready());  // it needs the mutex to end
        ours.unlock();
        co_await waiter.join();
        CHECK(held_at_end);
        CHECK_FALSE(lock.locked());
    }());
}

TEST_CASE("mutex and condition survive cancellation and failure everywhere", "[sync]") {
    for (const auto make : {&three_hold_in_turn, &one_tells_two}) {
        const auto scenario = [make](ringlet::testing::simulation&) { return make(); };
        const auto cancelled = ringlet::testing::cancel_everywhere(scenario);
        CHECK(cancelled.points > 6);
        CHECK(cancelled.failed == 0);
        const auto failed = ringlet::testing::fail_everywhere(scenario);
        CHECK(failed.points > 0);
    }
}
