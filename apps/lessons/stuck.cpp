// SPDX-License-Identifier: MIT
// Stuck: two jobs wait for each other for ever, and the loop says so.
//
// Lesson deadlock had two threads that each held what the other wanted. Jobs of one loop need a
// lock seldom, since between two co_await nobody else runs; but where one waits in the middle of a
// change, it needs a mutex, and with two of them two jobs can get stuck in the same way.
//
// The kernel does not know why a thread sleeps, so a program of threads just hangs. The loop knows:
// when no job can run, no alarm is set and nothing is asked of the kernel, then nothing can ever
// happen again. It ends the run with an error that lists what each job waits for, where in the
// source, and who holds it. The remedy is the same: take locks in one order.

#include <ringlet/core/combinators.hpp>
#include <ringlet/core/error.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/sync/mutex.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/core.h>

#include <string_view>

ringlet::task<> eat(ringlet::mutex& first, ringlet::mutex& second) {
    const auto one = co_await first.lock();
    co_await ringlet::yield();  // the other job's turn
    const auto other = co_await second.lock();
    fmt::print("  has eaten\n");
}

ringlet::task<> crosswise() {
    ringlet::mutex left, right;
    co_await ringlet::when_all(eat(left, right), eat(right, left));
}

ringlet::task<> in_one_order() {
    ringlet::mutex left, right;
    co_await ringlet::when_all(eat(left, right), eat(left, right));
}

int main() {
    fmt::print("one takes left first, the other right:\n");
    try {
        ringlet::run(crosswise());
    } catch (const ringlet::deadlock_error& error) {
        const std::string_view report = error.what();  // print it to see it all
        fmt::print("  the run has ended with an error: {}\n", report.substr(0, report.find(':')));
        fmt::print("  the report says what they wait for: {}\n", report.find("waits for a mutex") != report.npos);
    }
    fmt::print("both take left first:\n");
    ringlet::run(in_one_order());
}
