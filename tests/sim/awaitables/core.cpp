// SPDX-License-Identifier: MIT
#include "scenario.hpp"
#include "table.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/core/ready_or_task.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/time/joinall.hpp>

#include <array>
#include <functional>
#include <vector>

namespace ringlet_tests {
namespace {

task<int> number_after(std::chrono::milliseconds delay, int number) {
    co_await ringlet::sleep(delay);
    co_return number;
}

task<int> fails_after(std::chrono::milliseconds delay) {
    co_await ringlet::sleep(delay);
    throw std::system_error{std::make_error_code(std::errc::io_error), "planned"};
}

task<int> deep(int levels) {
    if (levels == 0) {
        co_await ringlet::yield();
        co_return 0;
    }
    const int below = co_await deep(levels - 1);
    co_return below + 1;
}

task<> awaits_tasks(testing::simulation&) {
    const int levels = co_await deep(40);  // deeper than nested starts go
    expect(levels == 40, "a task gave another value");
    bool failed = false;
    try {
        co_await fails_after(1ms);
    } catch (const std::system_error&) {
        failed = true;
    }
    expect(failed, "a task's failure was lost");
}

ringlet::ready_or_task<int> at_once_if(bool ready) {
    if (ready) return 1;
    return number_after(1ms, 2);
}

task<> awaits_what_may_be_ready(testing::simulation&) {
    const int ready = co_await at_once_if(true);
    const int later = co_await at_once_if(false);
    expect(ready == 1 && later == 2, "it gave another value");
    const auto limited = co_await ringlet::as_result(ringlet::with_timeout(10ms, at_once_if(false)));
    expect(limited && *limited == 2, "it gave another value under a limit");
    const auto failed = co_await ringlet::as_result(ringlet::ready_or_task<int>{fails_after(1ms)});
    expect_error(failed, std::errc::io_error, "its failure was lost");
    co_await ringlet::ready_or_task<>{};
}

task<> takes_results(testing::simulation&) {
    const auto good = co_await ringlet::as_result(number_after(1ms, 7));
    expect(good && *good == 7, "as_result gave another value");
    const auto bad = co_await ringlet::as_result(fails_after(1ms));
    expect_error(bad, std::errc::io_error, "as_result lost an error");
    const auto slept = co_await ringlet::as_result(ringlet::sleep(1ms));
    expect(slept.has_value(), "as_result of a sleep failed");
}

task<> counts_to(int& count, int end) {
    while (count < end) {
        co_await ringlet::sleep(1ms);
        ++count;
    }
}

task<> shields(testing::simulation&) {
    int count = 0;
    std::exception_ptr thrown;
    try {
        co_await ringlet::shield(counts_to(count, 5));
    } catch (const std::bad_alloc&) {
        throw;
    } catch (...) {
        thrown = std::current_exception();
    }
    expect(count == 5, "a shielded task was cut short");
    if (thrown) std::rethrow_exception(thrown);
    co_await ringlet::shield(ringlet::sleep(1ms));
    co_await ringlet::yield();
}

task<> joins(testing::simulation&) {
    ringlet::job<int> slow = ringlet::spawn(number_after(2ms, 1));
    co_await slow.join();
    expect(slow.ready(), "join ended before the job");
    co_await slow.join();  // one that has ended
    ringlet::job<int> stopped = ringlet::spawn(number_after(1s, 2));
    co_await times_out(stopped.join());
    stopped.cancel();
    co_await stopped.join();
    expect(stopped.ready(), "join ended before the cancelled job");
}

task<> gets(testing::simulation&) {
    ringlet::job<int> slow = ringlet::spawn(number_after(2ms, 1));
    const int value = co_await slow.get();
    expect(value == 1, "get gave another value");
    ringlet::job<int> bad = ringlet::spawn(fails_after(1ms));
    const auto failure = co_await ringlet::as_result(bad.get());
    expect_error(failure, std::errc::io_error, "get lost a failure");
}

task<> adds_after(int& sum, int number) {
    co_await ringlet::sleep(std::chrono::milliseconds{number});
    sum += number;
}

task<> groups(testing::simulation&) {
    auto body = [](ringlet::task_group& group, int& sum) -> task<int> {
        for (int i = 1; i <= 3; ++i) group.spawn(adds_after(sum, i));
        co_await ringlet::sleep(1ms);
        co_return 9;
    };
    int sum = 0;
    const int value = co_await ringlet::with_task_group(body, std::ref(sum));
    expect(value == 9 && sum == 6, "a group ended before its jobs");
    auto failing = [](ringlet::task_group& group) -> task<> {
        group.spawn(fails_after(1ms));
        group.spawn(number_after(1s, 1));
        co_await ringlet::sleep(1s);
    };
    const auto failure = co_await ringlet::as_result(ringlet::with_task_group(failing));
    expect_error(failure, std::errc::io_error, "a group lost a failure");
}

task<> waits_for_all(testing::simulation&) {
    const auto values = co_await ringlet::when_all(number_after(2ms, 1), ringlet::sleep(1ms), number_after(0ms, 3));
    expect(std::get<0>(values) == 1 && std::get<2>(values) == 3, "when_all gave other values");
    const auto failure = co_await ringlet::as_result(ringlet::when_all(number_after(1s, 1), fails_after(1ms)));
    expect_error(failure, std::errc::io_error, "when_all lost a failure");
}

task<> waits_for_all_of_many(testing::simulation&) {
    std::vector<task<int>> many;
    many.reserve(3);
    for (int i = 0; i < 3; ++i) many.push_back(number_after(std::chrono::milliseconds{3 - i}, i));
    const std::vector<int> values = co_await ringlet::when_all(std::move(many));
    expect(values == std::vector{0, 1, 2}, "when_all gave other values");
}

task<> races(testing::simulation&) {
    const auto first = co_await ringlet::first_of(number_after(1s, 1), ringlet::sleep(1ms), number_after(2s, 3));
    expect(first.index() == 1, "first_of gave a later one");
    const std::size_t index = co_await ringlet::first_of(ringlet::sleep(1s), ringlet::yield());
    expect(index == 1, "first_of gave a later one");
    const auto failure = co_await ringlet::as_result(ringlet::first_of(number_after(1s, 1), fails_after(1ms)));
    expect_error(failure, std::errc::io_error, "first_of lost a failure");
}

constexpr awaitable_row rows_of_core[] = {
    {"task", &awaits_tasks},
    {"ready_or_task", &awaits_what_may_be_ready},
    {"as_result(A)", &takes_results},
    {"shield(A)", &shields},
    {"job::join()", &joins},
    {"job::get()", &gets},
    {"with_task_group(F&&, Args&&...)", &groups},
    {"when_all(A...)", &waits_for_all},
    {"when_all(std::vector<task<T>>)", &waits_for_all_of_many},
    {"first_of(A...)", &races},
};

// --- time ---

task<> sleeps(testing::simulation& world) {
    const auto before = world.now();
    co_await ringlet::sleep(5ms);
    expect(world.now() - before >= 5ms, "a sleep was too short");
    co_await ringlet::sleep(0ms);
    co_await ringlet::sleep(-1ms);
}

task<> sleeps_until(testing::simulation&) {
    const auto when = ringlet::deadline_after(5ms);
    co_await ringlet::sleep_until(when);
    expect(ringlet::clock::now() >= when, "a sleep was too short");
    co_await ringlet::sleep_until(when);  // has passed
}

task<> yields_often(int& turns) {
    for (int i = 0; i < 3; ++i) {
        ++turns;
        co_await ringlet::yield();
    }
}

task<> yields(testing::simulation&) {
    int one = 0;
    int other = 0;
    co_await ringlet::when_all(yields_often(one), yields_often(other));
    expect(one == 3 && other == 3, "a yield ended a task");
}

// Two limits around one sleep: the shorter one ends it, where it was set.
task<> limits(testing::simulation& world) {
    const int value = co_await ringlet::with_timeout(1s, number_after(1ms, 1));
    expect(value == 1, "with_timeout gave another value");
    const auto before = world.now();
    const auto inner = co_await ringlet::as_result(
        ringlet::with_timeout(1s, ringlet::as_result(ringlet::with_timeout(2ms, number_after(1s, 1)))));
    expect(inner && !*inner && world.now() - before < 1s, "the inner limit was not the one that ended");
    const auto outer =
        co_await ringlet::as_result(ringlet::with_timeout(2ms, ringlet::with_timeout(1s, ringlet::sleep(2s))));
    expect_error(outer, std::errc::timed_out, "the outer limit did not end");
}

task<> limits_until(testing::simulation&) {
    const int value = co_await ringlet::with_deadline(ringlet::deadline_after(1s), number_after(1ms, 1));
    expect(value == 1, "with_deadline gave another value");
    const auto late =
        co_await ringlet::as_result(ringlet::with_deadline(ringlet::deadline_after(2ms), number_after(1s, 1)));
    expect_error(late, std::errc::timed_out, "the deadline did not end it");
    const auto passed = co_await ringlet::as_result(ringlet::with_deadline(ringlet::deadline{}, ringlet::sleep(1s)));
    expect(!passed, "a deadline that has passed did not end it");
}

task<> joins_all(testing::simulation&) {
    std::vector<ringlet::job<int>> jobs;
    for (int i = 1; i <= 3; ++i) jobs.push_back(ringlet::spawn(number_after(std::chrono::milliseconds{2 * i}, i)));
    const std::size_t one = co_await ringlet::joinall(jobs, ringlet::join_options{std::nullopt, 1});
    expect(one >= 1 && jobs[0].ready(), "joinall ended before the first job");
    const std::size_t some = co_await ringlet::joinall(jobs, ringlet::join_options{1ms});
    expect(some < 3, "joinall's time limit did not end it");
    const std::size_t all = co_await ringlet::joinall(jobs);
    expect(all == 3, "joinall ended before the jobs");
    jobs.push_back(ringlet::spawn(fails_after(1ms)));
    const auto failure = co_await ringlet::as_result(ringlet::joinall(jobs));
    expect_error(failure, std::errc::io_error, "joinall lost a failure");
}

constexpr awaitable_row rows_of_time[] = {
    {"sleep(std::chrono::nanoseconds)", &sleeps},
    {"sleep_until(deadline)", &sleeps_until},
    {"yield()", &yields},
    {"with_timeout(std::chrono::nanoseconds, A, std::source_location)", &limits},
    {"with_deadline(deadline, A, std::source_location)", &limits_until},
    {"joinall(Jobs&, const join_options&)", &joins_all},
};

}  // namespace

std::span<const awaitable_row> core_rows() noexcept { return rows_of_core; }
std::span<const awaitable_row> time_rows() noexcept { return rows_of_time; }

}  // namespace ringlet_tests
