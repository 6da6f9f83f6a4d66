// SPDX-License-Identifier: MIT
// What blocks a loop, and how to offload it.
//
// All jobs of a loop share one thread. A call that keeps the thread keeps them all: a long
// computation, a library that waits in its own way (a database driver, std::this_thread::sleep_for,
// reading a file on a slow disk). Nothing warns you; the program is just slow for everybody. In
// Python's gevent it is the same.
//
// offload(f, args...) calls f on another thread, and only the job that awaits it waits. Python:
// gevent.get_hub() .threadpool.apply(f, args), or asyncio.to_thread(f, args).
// RINGLET_WATCHDOG_MS=20 in the environment makes a program name the job that held up its loop for
// longer than that.

#include <ringlet/core/job.hpp>
#include <ringlet/os/offload.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/core.h>

#include <chrono>
#include <functional>
#include <thread>

using namespace std::chrono_literals;

ringlet::task<> tick(int& ticks) {
    for (;;) {
        ++ticks;
        co_await ringlet::sleep(1ms);
    }
}

int ask_the_database(int question) {
    std::this_thread::sleep_for(50ms);  // keeps its thread
    return question * 2;
}

ringlet::task<> show() {
    int ticks = 0;
    auto ticker = ringlet::spawn(tick, std::ref(ticks));
    co_await ringlet::yield();  // it begins

    int before = ticks;
    int answer = ask_the_database(21);
    fmt::print("called directly:  the answer is {}, and the ticker ticked meanwhile: {}\n", answer, ticks > before);

    before = ticks;
    answer = co_await ringlet::offload(ask_the_database, 21);
    fmt::print("called elsewhere: the answer is {}, and the ticker ticked meanwhile: {}\n", answer, ticks > before);

    ticker.cancel();
    co_await ticker.join();
}

int main() { ringlet::run(show()); }
