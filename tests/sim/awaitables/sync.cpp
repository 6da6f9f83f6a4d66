// SPDX-License-Identifier: MIT
#include "scenario.hpp"
#include "table.hpp"
#include <ringlet/core/async_generator.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/sync/async_result.hpp>
#include <ringlet/sync/channel.hpp>
#include <ringlet/sync/condition.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/sync/mutex.hpp>
#include <ringlet/sync/pool.hpp>
#include <ringlet/sync/queue.hpp>
#include <ringlet/sync/semaphore.hpp>
#include <ringlet/time/cancel_all.hpp>
#include <ringlet/time/ticker.hpp>
#include <ringlet/time/wait.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace ringlet_tests {
namespace {

// Each: what is waited for is there, comes later, does not come.

task<> waits_for_event(testing::simulation&) {
    ringlet::event what;
    auto set_later = [](ringlet::event& e) -> task<> {
        co_await ringlet::sleep(1ms);
        e.set();
    };
    co_await ringlet::when_all(what.wait(), set_later(what));
    co_await what.wait();
    what.clear();
    co_await times_out(what.wait());
}

task<> locks(testing::simulation&) {
    ringlet::mutex lock;
    auto held = co_await lock.lock();
    co_await times_out(lock.lock());
    auto unlock_later = [](ringlet::mutex_guard& guard) -> task<> {
        co_await ringlet::sleep(1ms);
        guard.unlock();
    };
    co_await ringlet::when_all(lock.lock(), unlock_later(held));
    expect(!lock.locked(), "a guard that went did not unlock");
}

task<> acquires(testing::simulation&) {
    ringlet::semaphore permits{1};
    co_await permits.acquire();
    co_await times_out(permits.acquire());
    auto release_later = [](ringlet::semaphore& s) -> task<> {
        co_await ringlet::sleep(1ms);
        s.release();
    };
    co_await ringlet::when_all(permits.acquire(), release_later(permits));
    expect(permits.available() == 0, "a permit was doubled");
}

task<> notify_later(ringlet::mutex& lock, ringlet::condition& told, bool& flag) {
    co_await ringlet::sleep(1ms);
    const auto held = co_await lock.lock();
    flag = true;
    told.notify_one();
}

task<> waits_for_condition(testing::simulation&) {
    ringlet::mutex lock;
    ringlet::condition told;
    bool flag = false;
    auto held = co_await lock.lock();
    co_await ringlet::when_all(told.wait(held), notify_later(lock, told, flag));
    expect(flag && held.owns_lock(), "the mutex is not held after the wait");
    co_await times_out(told.wait(held));
    expect(held.owns_lock(), "the mutex is not held after the time limit");
}

task<> waits_for_predicate(testing::simulation&) {
    ringlet::mutex lock;
    ringlet::condition told;
    bool flag = false;
    auto held = co_await lock.lock();
    const auto is_set = [&flag] { return flag; };
    co_await ringlet::when_all(told.wait(held, is_set), notify_later(lock, told, flag));
    co_await told.wait(held, is_set);
    expect(held.owns_lock(), "the mutex is not held after the wait");
}

task<> gets_result(testing::simulation&) {
    ringlet::async_result<int> result;
    co_await times_out(result.get());
    auto set_later = [](ringlet::async_result<int>& r) -> task<> {
        co_await ringlet::sleep(1ms);
        r.set(7);
    };
    const auto got = co_await ringlet::when_all(result.get(), set_later(result));
    expect(std::get<0>(got) == 7, "another result came");
}

task<> get_later(ringlet::queue<int>& from) {
    co_await ringlet::sleep(1ms);
    const auto item = co_await from.get();
    expect(item.has_value(), "an open queue gave nothing");
    from.task_done();
}

task<> puts(testing::simulation&) {
    ringlet::queue<int> q{1};
    co_await q.put(1);
    co_await times_out(q.put(2));
    co_await ringlet::when_all(q.put(3), get_later(q));
    expect(q.size() == 1, "an item was lost");
    q.close();
    const auto refused = co_await ringlet::as_result(q.put(4));
    expect_error(refused, std::errc::broken_pipe, "a closed queue took an item");
}

task<> gets(testing::simulation&) {
    ringlet::queue<int> q;
    co_await times_out(q.get());
    auto put_later = [](ringlet::queue<int>& to) -> task<> {
        co_await ringlet::sleep(1ms);
        co_await to.put(5);
    };
    const auto got = co_await ringlet::when_all(q.get(), put_later(q));
    expect(std::get<0>(got) == 5, "another item came");
    q.close();
    const auto end = co_await q.get();
    expect(!end, "a closed queue gave an item");
}

task<> joins_queue(testing::simulation&) {
    ringlet::queue<int> q;
    co_await q.join();
    co_await q.put(1);
    co_await times_out(q.join());
    co_await ringlet::when_all(q.join(), get_later(q));
}

task<> receive_later(ringlet::channel<int>& from, int& into) {
    co_await ringlet::sleep(1ms);
    into = (co_await from.receive()).value_or(-1);
}

task<> sends_item(testing::simulation&) {
    ringlet::channel<int> c;
    co_await times_out(c.send(1));
    int got = 0;
    co_await ringlet::when_all(c.send(2), receive_later(c, got));
    expect(got == 2, "another item was received");
}

task<> receives_item(testing::simulation&) {
    ringlet::channel<int> c;
    co_await times_out(c.receive());
    auto send_later = [](ringlet::channel<int>& to) -> task<> {
        co_await ringlet::sleep(1ms);
        co_await to.send(3);
    };
    const auto got = co_await ringlet::when_all(c.receive(), send_later(c));
    expect(std::get<0>(got) == 3, "another item came");
    c.close();
    const auto end = co_await c.receive();
    expect(!end, "a closed channel gave an item");
}

ringlet::async_generator<int> three() {
    for (int i = 0; i < 3; ++i) {
        co_await ringlet::sleep(1ms);
        co_yield i;
    }
}

task<> takes_values(testing::simulation&) {
    auto values = three();
    int sum = 0;
    while (const std::optional<int> value = co_await values.next()) sum += *value;
    expect(sum == 3, "values were lost");
    auto slow = three();
    const auto late = co_await ringlet::as_result(ringlet::with_timeout(100us, slow.next()));
    expect_error(late, std::errc::timed_out, "a wait for a value ended before its time limit");
}

task<> closes_generator(testing::simulation&) {
    auto values = three();
    const auto first = co_await values.next();
    expect(first == 0, "another value came");
    co_await values.close();
    expect(values.done(), "a closed generator has not ended");
}

task<int> doubled_late(int number) {
    co_await ringlet::sleep(1ms);
    co_return 2 * number;
}

task<> spawns_in_pool(ringlet::pool& jobs) {
    std::vector<ringlet::job<int>> handles;
    for (int i = 1; i <= 3; ++i) handles.push_back(co_await jobs.spawn(doubled_late, i));
    int sum = 0;
    for (auto& handle : handles) sum += co_await handle.get();
    expect(sum == 12, "values of a pool were lost");
}
task<> uses_pool(testing::simulation&) { co_await ringlet::with_pool(2, spawns_in_pool); }

task<> joins_after_close(ringlet::pool& jobs) {
    const ringlet::job<int> left = co_await jobs.spawn(doubled_late, 1);
    jobs.close();
    co_await jobs.join();
    expect(left.ready(), "a pool was joined before its jobs had ended");
}
task<> joins_pool(testing::simulation&) { co_await ringlet::with_pool(1, joins_after_close); }

task<> maps_over_three(ringlet::pool& jobs) {
    std::vector<int> items{1, 2, 3};
    const std::vector<int> values = co_await jobs.map(doubled_late, items);
    expect(values == std::vector<int>{2, 4, 6}, "map gave other values");
}
task<> maps(testing::simulation&) { co_await ringlet::with_pool(2, maps_over_three); }

task<> cancels_all(testing::simulation&) {
    std::vector<ringlet::job<>> jobs;
    for (int i = 0; i < 2; ++i) jobs.push_back(ringlet::spawn([]() -> task<> { co_await ringlet::sleep(1h); }));
    co_await ringlet::sleep(1ms);
    const std::size_t ended = co_await ringlet::cancel_all(jobs);
    expect(ended == 2, "a cancelled job has not ended");
}

task<> waits_for_jobs(testing::simulation&) {
    std::vector<ringlet::job<int>> jobs;
    for (int i = 0; i < 2; ++i) jobs.push_back(ringlet::spawn(doubled_late, i));
    const auto ended = co_await ringlet::wait(jobs);
    expect(ended.size() == 2, "a wait ended before the jobs");
}

task<> ticks(testing::simulation&) {
    ringlet::ticker every{2ms};
    for (int i = 0; i < 3; ++i) {
        const std::uint64_t due = co_await every.tick();
        expect(due == 1, "a tick was missed");
    }
}

task<> moves_on(testing::simulation&) {
    const auto in_time = co_await ringlet::move_on_after(1s, doubled_late(1));
    expect(in_time == 2, "a value was lost");
    const auto late = co_await ringlet::move_on_after(100us, doubled_late(1));
    expect(!late, "the limit did not end it");
}

task<> moves_on_at(testing::simulation&) {
    const bool in_time = co_await ringlet::move_on_at(ringlet::deadline_after(1s), ringlet::sleep(1ms));
    expect(in_time, "what ended in time is said to be late");
    const bool late = co_await ringlet::move_on_at(ringlet::deadline_after(1ms), ringlet::sleep(1s));
    expect(!late, "the deadline did not end it");
}

constexpr awaitable_row rows[] = {
    {"pool::spawn(F&&, Args&&...)", &uses_pool},
    {"pool::map(F, Range&&)", &maps},
    {"pool::join()", &joins_pool},
    {"with_pool(std::size_t, F&&, Args&&...)", &uses_pool},
    {"cancel_all(Jobs&, std::optional<std::chrono::nanoseconds>)", &cancels_all},
    {"wait(Jobs&, const wait_options&)", &waits_for_jobs},
    {"ticker::tick()", &ticks},
    {"move_on_after(std::chrono::nanoseconds, A)", &moves_on},
    {"move_on_at(deadline, A)", &moves_on_at},
    {"async_generator::next()", &takes_values},
    {"async_generator::close()", &closes_generator},
    {"async_result::get()", &gets_result},
    {"channel::send(T)", &sends_item},
    {"channel::receive()", &receives_item},
    {"condition::wait(mutex_guard&)", &waits_for_condition},
    {"condition::wait(mutex_guard&, Predicate)", &waits_for_predicate},
    {"event::wait()", &waits_for_event},
    {"mutex::lock()", &locks},
    {"queue::put(T)", &puts},
    {"queue::get()", &gets},
    {"queue::join()", &joins_queue},
    {"semaphore::acquire()", &acquires},
};

}  // namespace

std::span<const awaitable_row> sync_rows() noexcept { return rows; }

}  // namespace ringlet_tests
