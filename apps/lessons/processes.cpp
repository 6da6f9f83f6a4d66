// SPDX-License-Identifier: MIT
// Processes: a function that runs in a process of its own, with memory of its own.
//
// A process is a running program: its memory, its open files, at least one thread. A child process
// begins as a copy of its parent, and from then on what either of them changes is its own affair.
// So processes cannot spoil each other's data, and one that crashes takes nobody with it. But they
// share nothing either: what the parent is to know must be sent (lesson process-queue), or fit into
// the exit code, a number from 0 to 255.
//
// Python: p = multiprocessing.Process(target=count, args=(3,)); p.start(); p.join(); p.exitcode

#include <ringlet/os/process.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/core.h>

#include <chrono>
#include <csignal>

#include <unistd.h>

using namespace std::chrono_literals;

int number = 100;  // a global variable: each process has one

int count(int by) {
    number += by;
    fmt::print("child: the number is {}\n", number);
    return 7;  // the exit code
}

int is_another_process(pid_t parent) { return ::getpid() != parent && ::getppid() == parent ? 0 : 1; }

ringlet::task<> sleep_for_an_hour() { co_await ringlet::sleep(1h); }  // a child may wait for things, too

ringlet::task<> parent() {
    auto child = ringlet::process::start(count, 3);
    const int code = co_await child.join();
    fmt::print("parent: the child ended with {}; the number is still {}\n", code, number);

    auto other = ringlet::process::start(is_another_process, ::getpid());
    const int same = co_await other.join();
    fmt::print("the child has a number of its own, and knows its parent's: {}\n", same == 0);

    auto lazy = ringlet::process::start(sleep_for_an_hour);
    lazy.terminate();  // sends the signal SIGTERM, "please end"
    const int by_signal = co_await lazy.join();
    fmt::print("one that a signal ended has the signal's number, negative: {} is SIGTERM: {}\n", by_signal,
               by_signal == -SIGTERM);
}

int main() { ringlet::run(parent()); }
