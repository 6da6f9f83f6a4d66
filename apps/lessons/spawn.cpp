// SPDX-License-Identifier: MIT
// spawn, join, joinall: gevent's way to do several things at once in one thread.
//
// A function that may wait returns a task, and writes co_await wherever it waits. spawn() makes a
// job of it (gevent calls it a Greenlet), which runs beside the others: while it waits, they go on.
// join() waits for the end of a job, get() for its value, joinall() for many. What runs the jobs in
// turn, and asks the kernel who can go on, is called the loop (event loop). Everything is one
// thread, and between two co_await nobody else runs: no locks are needed.
//
// Python: g = gevent.spawn(cook, "rice", .3); g.join(); g.value; gevent.joinall([g, h])
//
// The clock here is a virtual one: when nobody can go on, it jumps to the next alarm. So the times
// that are printed are exact, and 600 milliseconds take none. With ringlet::run(dinner()) as the
// only line of main it would take the real time.

#include <ringlet/core/job.hpp>
#include <ringlet/testing/virtual_loop.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/core.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

ringlet::task<int> cook(std::string what, std::chrono::milliseconds time) {
    fmt::print("{} is on\n", what);
    co_await ringlet::sleep(time);
    if (what == "egg") throw std::runtime_error{"the egg fell down"};
    fmt::print("{} is done\n", what);
    co_return static_cast<int>(what.size());
}

ringlet::task<> dinner() {
    auto rice = ringlet::spawn(cook, "rice", 300ms);
    fmt::print("spawned; it has not begun yet\n");
    co_await rice.join();
    const int letters = co_await rice.get();
    fmt::print("its value is {}\n", letters);

    std::vector<ringlet::job<int>> jobs;
    for (const char* what : {"soup", "fish", "tea"})
        jobs.push_back(ringlet::spawn(cook, what, 100ms * jobs.size() + 100ms));
    const auto ended = co_await ringlet::joinall(jobs);
    fmt::print("{} more are done\n", ended);

    auto egg = ringlet::spawn(cook, "egg", 0ms);
    try {
        co_await egg.get();  // the value, or what went wrong
    } catch (const std::exception& error) {
        fmt::print("{}\n", error.what());
    }
}

int main() {
    ringlet::testing::virtual_loop loop;
    loop.run(dinner());
    fmt::print("after {} ms: 300 for the rice, and 300 for the three others together\n", loop.now() / 1ms);
}
