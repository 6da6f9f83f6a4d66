// SPDX-License-Identifier: MIT
// A pool of processes: many pieces of work, few workers.
//
// To start a process for every piece of work costs more than the work when the pieces are small. A
// pool starts a few workers once; each takes the next piece when it is done with its last. That is
// also the way to use several processor cores for pure computing.
//
// Python: p = multiprocessing.Pool(2); p.map(square, [1, 2, 3]); p.apply_async(square, (3,)).get();
// p.close(); p.join() In C++ the function is given in angle brackets: pool.map<square>(numbers).

#include <ringlet/os/process_pool.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

int square(int n) { return n * n; }
int refuse(int n) { throw std::runtime_error{"I do not like " + std::to_string(n)}; }
int worker_number(int) { return ::getpid(); }

ringlet::task<> use_a_pool() {
    ringlet::process_pool pool{2};

    const std::vector<int> numbers{1, 2, 3, 4, 5};
    const std::vector<int> squares =
        co_await pool.map<square>(numbers);  // in the order of the numbers, whoever was first
    for (const int n : squares) fmt::print("{} ", n);
    fmt::print("\n");

    auto one = pool.apply_async<square>(12);  // at work already; get() waits for the result
    const int result = co_await one.get();
    fmt::print("12 * 12 is {}\n", result);

    auto bad = pool.apply_async<refuse>(13);
    try {
        co_await bad.get();
    } catch (const ringlet::os::remote_error& error) {  // what the function threw, over there
        fmt::print("the worker says: {}\n", error.what());
    }

    const std::vector<int> workers = co_await pool.map<worker_number>(numbers);
    bool ours = true;
    for (const int worker : workers) ours = ours && worker != ::getpid();
    fmt::print("all work was done in other processes: {}\n", ours);

    pool.close();  // no more work
    co_await pool.join();
}

int main() { ringlet::run(use_a_pool()); }
