// SPDX-License-Identifier: MIT
#include "os/children.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/os/process_pool.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <vector>

#include <sys/resource.h>

using namespace ringlet;
using namespace ringlet_tests;
using os::process_pool;

namespace {

struct point {
    int x = 0;
    int y = 0;
};

int square(int x) { return x * x; }
task<long> add_slowly(long a, long b) {
    co_await sleep(1ms);
    co_return a + b;
}
std::string twice(const std::string& text) { return text + text; }
point mirrored(point p) { return {p.y, p.x}; }
std::vector<std::string> words(std::vector<int> lengths) {
    std::vector<std::string> all;
    for (const int length : lengths) all.emplace_back(static_cast<std::size_t>(length), 'x');
    return all;
}
void nothing() {}
task<> nothing_slowly() { co_await yield(); }
int fail(int x) { throw std::invalid_argument{"no " + std::to_string(x)}; }
int my_pid() { return ::getpid(); }
int leave(int status) { ::_exit(status); }
// Says that it has begun, then never ends.
void hang(int descriptor) {
    [[maybe_unused]] const auto n = ::write(descriptor, "!", 1);
    for (;;) ::pause();
}

task<> calls() {
    process_pool pool{2};
    CHECK(pool.size() == 2);
    auto nine = pool.apply_async<square>(3);
    auto sum = pool.apply_async<add_slowly>(20, 22);  // ints become longs here
    auto text = pool.apply_async<twice>("ab");
    auto swapped = pool.apply_async<mirrored>(point{1, 2});
    auto strings = pool.apply_async<words>(std::vector{1, 0, 3});
    auto empty = pool.apply_async<nothing>();
    auto slow = pool.apply_async<nothing_slowly>();
    auto lambda = pool.apply_async<[](int x) { return x + 1; }>(1);
    const int got_nine = co_await nine.get();
    CHECK(got_nine == 9);
    const long got_sum = co_await sum.get();
    CHECK(got_sum == 42);
    const std::string got_text = co_await text.get();
    CHECK(got_text == "abab");
    const point got_point = co_await swapped.get();
    CHECK((got_point.x == 2 && got_point.y == 1));
    const std::vector<std::string> got_strings = co_await strings.get();
    CHECK(got_strings == std::vector<std::string>{"x", "", "xxx"});
    co_await empty.get();
    co_await slow.get();
    const int got_two = co_await lambda.get();
    CHECK(got_two == 2);
    const std::string large(2'000'000, 'y');
    auto more = pool.apply_async<twice>(large);
    const std::string got_more = co_await more.get();
    CHECK((got_more == large + large));
    pool.close();
    co_await pool.join();
}

task<> maps() {
    process_pool pool{3};
    std::vector<int> numbers(100);
    std::iota(numbers.begin(), numbers.end(), 0);
    const std::vector<int> squares = co_await pool.map<square>(numbers);
    bool right = squares.size() == 100;
    for (int i = 0; i < 100; ++i) right = right && squares[static_cast<std::size_t>(i)] == i * i;
    CHECK(right);
    // Named: g++ 12 refuses a list in braces within an await.
    const std::vector<int> none;
    const std::vector<int> ones(3, 1);
    const std::vector<int> more{5, 6, 7, 8};
    co_await pool.map<hang>(none);
    const std::string why = co_await fate(pool.map<fail>(ones));
    CHECK(why == "no 1");
    // What it was cancelled in the middle of has cost workers; others are there.
    const std::vector<int> again = co_await pool.map<square>(more);
    CHECK(again == std::vector{25, 36, 49, 64});
    pool.close();
    CHECK_THROWS_AS(pool.apply_async<square>(1), std::logic_error);
    co_await pool.join();
    co_await pool.join();
}

task<> join_rules() {
    process_pool pool{2};
    CHECK_THROWS_WITH(pool.join(), "a process_pool is joined once it is closed: call close() before join()");
    auto slow = pool.apply_async<add_slowly>(1, 2);
    auto waits = pool.apply_async<square>(4);
    pool.close();
    co_await pool.join();  // what was asked for is done
    CHECK(slow.ready());
    CHECK(waits.ready());
    CHECK(pool.pids().empty());
    const long three = co_await slow.get();
    CHECK(three == 3);
    const int sixteen = co_await waits.get();
    CHECK(sixteen == 16);
}

// Somebody who waits for any child takes the workers' ends.
task<> reaped_by_another() {
    process_pool pool{3};
    const std::vector<pid_t> workers = pool.pids();
    for (const pid_t worker : {workers[0], workers[1]}) {
        ::kill(worker, SIGKILL);
        CHECK(::waitpid(worker, nullptr, 0) == worker);
    }
    pool.close();
    const std::string why = co_await fate(pool.join());
    CHECK(why.find("somebody else reaped the child") != why.npos);
    CHECK(::kill(workers[2], 0) == -1);  // it was joined, too
    CHECK(pool.pids().empty());
    co_await pool.join();
}

task<> failures() {
    process_pool pool{1};
    auto bad = pool.apply_async<fail>(7);
    std::string type;
    try {
        co_await bad.get();
    } catch (const os::remote_error& error) {
        type = error.what();
    }
    CHECK(type == "no 7");
    const pid_t before = pool.pids().front();
    auto same = pool.apply_async<my_pid>();
    const int after = co_await same.get();
    CHECK(after == before);  // a failure costs no worker
    auto gone = pool.apply_async<leave>(3);
    int code = 0;
    try {
        co_await gone.get();
    } catch (const os::worker_lost& error) {
        code = error.exit_code();
    }
    CHECK(code == 3);
    auto replaced = pool.apply_async<my_pid>();
    const int other = co_await replaced.get();
    CHECK(other != before);
}

task<> killed() {
    raw_pipe begun;
    process_pool pool{1};
    auto lost = pool.apply_async<hang>(begun.in.get());
    auto next = pool.apply_async<square>(6);
    co_await said(begun);
    ::kill(pool.pids().front(), SIGKILL);
    const std::string why = co_await fate(lost.get());
    CHECK(why == "a worker was ended by signal 9 in the middle of a call");
    const int got = co_await next.get();
    CHECK(got == 36);
    // Between calls: nobody's loss.
    const pid_t idle = pool.pids().front();
    ::kill(idle, SIGKILL);
    while (!pool.pids().empty()) co_await sleep(100us);
    auto after = pool.apply_async<square>(7);
    const int fine = co_await after.get();
    CHECK(fine == 49);
}

// Stopped, it cannot read the request, which then lies there when it is killed.
task<> killed_before_it_read() {
    process_pool pool{1};
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{2'000'000}}) {  // all of it is sent, and a part
        const pid_t idle = pool.pids().front();
        ::kill(idle, SIGSTOP);
        CHECK(::waitpid(idle, nullptr, WUNTRACED) == idle);
        const std::string text(bytes, 'x');
        auto call = pool.apply_async<twice>(text);
        for (int i = 0; i < 10; ++i) co_await yield();  // the request is on its way
        ::kill(idle, SIGKILL);
        const std::string got = co_await call.get();
        CHECK(got.size() == 2 * bytes);
        CHECK(pool.pids().front() != idle);
    }
}

task<> cancelled_calls() {
    raw_pipe begun;
    process_pool pool{1};
    auto stuck = pool.apply_async<hang>(begun.in.get());
    auto queued = pool.apply_async<hang>(begun.in.get());
    auto last = pool.apply_async<square>(2);
    co_await said(begun);
    queued.cancel();
    co_await queued.join();
    stuck.cancel();
    co_await stuck.join();
    const int four = co_await last.get();
    CHECK(four == 4);
    auto late = pool.apply_async<hang>(begun.in.get());
    const std::string why = co_await fate(with_timeout(5ms, late.get()));
    CHECK(why.find("time limit of 5 ms exceeded") != why.npos);
    co_await said(begun);
    pool.terminate();
    const std::string ended = co_await fate(late.get());
    CHECK(ended == "cancelled");
    CHECK_THROWS_AS(pool.apply_async<square>(1), std::logic_error);
    co_await pool.join();
}

task<> dropped() {
    raw_pipe begun;
    std::vector<job<>> calls;
    {
        process_pool pool{2};
        for (int i = 0; i < 4; ++i) calls.push_back(pool.apply_async<hang>(begun.in.get()));
        co_await said(begun);
    }
    for (auto& call : calls) {
        const std::string why = co_await fate(call.get());
        CHECK(why == "cancelled");
    }
}

// In a process of its own, which then has no descriptors left.
int want_too_many() {
    rlimit few{};
    few.rlim_cur = few.rlim_max = open_descriptors() + 12;
    ::setrlimit(RLIMIT_NOFILE, &few);
    try {
        const process_pool pool{50};
    } catch (const std::system_error& error) {
        const bool left = ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD;
        return error.code() == std::errc::too_many_files_open && !left ? 0 : 1;
    }
    return 2;
}
task<> too_many() {
    os::process child = os::process::start(want_too_many);
    const int code = co_await child.join();
    CHECK(code == 0);
}

int own_a_pool_and_die(const raw_pipe& pids, const raw_pipe& alive) {
    auto die = [](const raw_pipe& to, int mark) -> task<> {
        process_pool pool{2};
        auto a = pool.apply_async<hang>(mark);
        auto b = pool.apply_async<hang>(mark);
        co_await said(to);
        co_await said(to);
        ::raise(SIGKILL);
    };
    run(die, std::cref(pids), pids.in.get());
    return alive.in.get();
}

task<> the_parent_is_killed() {
    raw_pipe pids;
    raw_pipe alive;  // whose writing end every one of them has
    os::process owner = os::process::start(own_a_pool_and_die, std::cref(pids), std::cref(alive));
    alive.in.reset();
    const int code = co_await owner.join();
    CHECK(code == -SIGKILL);
    const char end = co_await said(alive);
    CHECK(end == 0);  // they are gone, although they were in the middle of calls
}

}  // namespace

TEST_CASE("a process pool makes calls and gives values", "[os][process_pool]") {
    const no_children_left check;
    run(calls);
}
TEST_CASE("a process pool maps in order", "[os][process_pool]") {
    const no_children_left check;
    run(maps);
}
TEST_CASE("a process pool is joined once it is closed", "[os][process_pool]") {
    const no_children_left check;
    run(join_rules);
}
TEST_CASE("a process pool is joined although somebody else reaped a worker", "[os][process_pool]") {
    const no_children_left check;
    run(reaped_by_another);
}
TEST_CASE("a failed call of a process pool says why", "[os][process_pool]") {
    const no_children_left check;
    run(failures);
}
TEST_CASE("a killed worker fails its call and is replaced", "[os][process_pool]") {
    const no_children_left check;
    run(killed);
}
TEST_CASE("a call whose worker is killed before it has read the request is made by another", "[os][process_pool]") {
    const no_children_left check;
    run(killed_before_it_read);
}
TEST_CASE("calls of a process pool are cancelled, before and in a worker", "[os][process_pool]") {
    const no_children_left check;
    run(cancelled_calls);
}
TEST_CASE("a dropped process pool leaves nothing", "[os][process_pool]") {
    const no_children_left check;
    run(dropped);
}
TEST_CASE("a process pool that cannot have all its workers has none", "[os][process_pool]") {
    const no_children_left check;
    run(too_many);
}
TEST_CASE("workers end with a killed parent", "[os][process_pool]") {
    const no_children_left check;
    run(the_parent_is_killed);
}
