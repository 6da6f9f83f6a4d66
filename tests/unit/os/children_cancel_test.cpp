// SPDX-License-Identifier: MIT
// Cancellation of what the simulation cannot run: waits for processes and threads.
#include "os/children.hpp"
#include <ringlet/os/popen.hpp>
#include <ringlet/os/process.hpp>
#include <ringlet/os/process_pool.hpp>
#include <ringlet/os/process_queue.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/thread.hpp>
#include <ringlet/time/sleep.hpp>

#include <functional>
#include <numeric>
#include <string>
#include <vector>

using namespace ringlet;
using namespace ringlet_tests;
using os::process;
using os::process_pool;
using os::process_queue;

namespace {

/// Cancels a job of `what(args...)` after more and more turns of the loop, until one has ended by itself.
template <class F, class... Args>
task<> cancelled_later_and_later(F what, Args... args) {
    for (int turns = 0;; turns += 1 + turns / 4) {
        auto job = spawn(what, args...);
        for (int i = 0; i < turns; ++i) co_await yield();
        const bool ended = job.ready();
        job.cancel();
        co_await job.join();
        if (!ended) continue;
        CHECK(job.successful());
        break;
    }
}

int give(int status) { return status; }
task<> joins_process() {
    process child = process::start(give, 5);
    const int code = co_await child.join();
    CHECK(code == 5);
}

task<> communicates() {
    const std::string text(300'000, 'x');
    os::popen cat{{"cat"}, os::popen_options::pipes()};
    const os::popen_result done = co_await cat.communicate(text);
    CHECK((done.output == text));
    CHECK(done.exit_code == 0);
}

task<int> add_slowly(int a, int b) {
    co_await sleep(1ms);
    co_return a + b;
}
task<> joins_thread() {
    os::thread adder{add_slowly, 1, 2};
    const int sum = co_await adder.join();
    CHECK(sum == 3);
}

int square(int x) { return x * x; }
task<> maps(process_pool& pool) {
    std::vector<int> numbers(8);
    std::iota(numbers.begin(), numbers.end(), 1);
    const std::vector<int> squares = co_await pool.map<square>(numbers);
    CHECK(squares == std::vector{1, 4, 9, 16, 25, 36, 49, 64});
}
task<> calls(process_pool& pool) {
    auto call = pool.apply_async<square>(7);
    const int got = co_await call.get();
    CHECK(got == 49);
}
task<> joins_pool() {
    process_pool pool{2};
    auto call = pool.apply_async<square>(7);
    pool.close();
    co_await pool.join();
    CHECK(call.ready());
    co_await call.join();
}
task<> uses_pool() {
    process_pool pool{2};
    co_await cancelled_later_and_later(maps, std::ref(pool));
    co_await cancelled_later_and_later(calls, std::ref(pool));
    co_await cancelled_later_and_later(joins_pool);
    pool.close();
    co_await pool.join();
}

constexpr int items = 2000;
task<> put_all(process_queue<int>& q) {
    for (int i = 0; i < items; ++i) co_await q.put(i);
}
task<> get_some(process_queue<int>& q, std::vector<int>& got) {
    while (got.size() < items) {
        const std::optional<int> one = co_await q.get();
        got.push_back(one.value_or(-1));
    }
}
// Who puts is cancelled, too: what was not put is put by the next.
task<> put_rest(process_queue<int>& q, int& next) {
    for (; next < items; ++next) co_await q.put(next);
}
task<int> count_in_order(process_queue<int>& q) {
    for (int i = 0; i < items; ++i) {
        const std::optional<int> one = co_await q.get();
        if (one != i) co_return 1;
    }
    co_return 0;
}
task<> loses_no_item() {
    process_queue<int> q{3};
    std::vector<int> got;
    process producer = process::start(put_all, std::ref(q));
    co_await cancelled_later_and_later(get_some, std::ref(q), std::ref(got));
    std::vector<int> all(items);
    std::iota(all.begin(), all.end(), 0);
    CHECK(got == all);
    co_await producer.join();

    int next = 0;
    process consumer = process::start(count_in_order, std::ref(q));
    co_await cancelled_later_and_later(put_rest, std::ref(q), std::ref(next));
    const int code = co_await consumer.join();
    CHECK(code == 0);
}

}  // namespace

TEST_CASE("a wait for a process is cancelled at any moment", "[os][process][cancel]") {
    const no_children_left check;
    run(cancelled_later_and_later<task<> (*)()>, &joins_process);
}
TEST_CASE("communicate is cancelled at any moment", "[os][popen][cancel]") {
    const no_children_left check;
    run(cancelled_later_and_later<task<> (*)()>, &communicates);
}
TEST_CASE("a wait for a thread is cancelled at any moment", "[os][thread][cancel]") {
    const no_children_left check;
    run(cancelled_later_and_later<task<> (*)()>, &joins_thread);
}
TEST_CASE("calls of a process pool are cancelled at any moment", "[os][process_pool][cancel]") {
    const no_children_left check;
    run(uses_pool);
}
TEST_CASE("a cancelled put or get between processes loses nothing", "[os][process_queue][cancel]") {
    const no_children_left check;
    run(loses_no_item);
}
