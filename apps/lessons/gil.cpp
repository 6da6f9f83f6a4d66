// SPDX-License-Identifier: MIT
// Computing or waiting: what jobs, threads and processes are good for, and Python's GIL.
//
// A program is slow because it waits (for the network, a disk, a person) or because it computes.
// Waiting is no work, so one thread can do any amount of it: a thousand jobs of a loop wait as long
// as one. Computing needs a processor core for each computation that is to go on at the same time,
// and a thread or a process for it; jobs of one loop take turns.
//
// Python's threads are a special case. The interpreter has one big lock, the GIL ("global
// interpreter lock"), and only who holds it may execute Python. A thread that waits gives it back,
// so threads help with waiting; for computing they take turns, too, and one needs processes (Python
// 3.13 and later can be built without it). C++ has no such lock: threads compute at the same time.

#include <ringlet/core/combinators.hpp>
#include <ringlet/os/process_pool.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/thread.hpp>
#include <ringlet/testing/virtual_loop.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/core.h>

#include <barrier>
#include <chrono>
#include <functional>
#include <vector>

using namespace std::chrono_literals;

int primes_from(int from) {  // pure computing: how many primes are among the next 20,000 numbers
    int found = 0;
    for (int n = from; n < from + 20'000; ++n) {
        bool prime = n > 1;
        for (int d = 2; prime && d * d <= n; ++d) prime = n % d != 0;
        found += prime ? 1 : 0;
    }
    return found;
}

ringlet::task<> wait_for_the_network() { co_await ringlet::sleep(100ms); }
ringlet::task<> three_waits() {
    co_await ringlet::when_all(wait_for_the_network(), wait_for_the_network(), wait_for_the_network());
}

// Passes the barrier only when another thread has come to it, in the middle of its own computation.
int primes_and_meet(int from, std::barrier<>& middle) {
    const int half = primes_from(from);
    middle.arrive_and_wait();
    return half + primes_from(from + 20'000);
}

ringlet::task<> compute() {
    ringlet::process_pool pool{2};  // processes first: they are copies of a program that has no threads yet
    const std::vector<int> quarters{0, 20'000, 40'000, 60'000};
    int sum = 0;
    for (const int part : co_await pool.map<primes_from>(quarters)) sum += part;
    fmt::print("computing in two processes: {} primes below 80,000\n", sum);

    std::barrier<> middle{2};
    ringlet::thread low{primes_and_meet, 0, std::ref(middle)};
    ringlet::thread high{primes_and_meet, 40'000, std::ref(middle)};
    sum = co_await low.join();
    sum += co_await high.join();
    fmt::print("computing in two threads, which were at it at the same time: {} primes\n", sum);

    sum = 0;
    for (const int from : quarters) sum += primes_from(from);
    fmt::print("computing on the loop's own thread, one after the other: {} primes; all jobs had to wait\n", sum);
}

int main() {
    ringlet::testing::virtual_loop loop;  // its clock is exact, see lesson spawn
    loop.run(three_waits());
    fmt::print("waiting: three waits of 100 ms took {} ms in one thread\n", loop.now() / 1ms);
    ringlet::run(compute());
}
