// SPDX-License-Identifier: MIT
// Threads: several functions at the same time, and what comes out of them.
//
// A thread is a second (third, ...) place in the same program at which the processor is at work.
// All threads see the same memory. The kernel decides who runs when, so two threads that print come
// in any order; here each only computes, and the main thread prints what they give when they have
// ended.
//
// Python: t = threading.Thread(target=sing, args=("song", 3)); t.start(); t.join() A Python thread
// gives nothing back, and an exception in it is only printed. Here join() gives the value of the
// function, or throws what it threw.

#include <ringlet/os/run_main.hpp>
#include <ringlet/os/thread.hpp>

#include <fmt/core.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

std::string perform(std::string what, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += what + " ";
    return all;
}

void fail() { throw std::runtime_error{"lost my voice"}; }

// Memory is shared: what one thread writes, the others see. std::atomic makes that well-defined (lesson lost-update).
void raise_flag(std::atomic<bool>& flag) { flag = true; }
bool wait_for(std::atomic<bool>& flag) {
    while (!flag) std::this_thread::yield();  // "let somebody else run"
    return true;
}

ringlet::task<> concert() {
    ringlet::thread singer{perform, std::string{"la"}, 3};  // Thread(target=perform, args=("la", 3)).start()
    ringlet::thread dancer{perform, std::string{"hop"}, 2};
    ringlet::thread unlucky{fail};
    const std::string song = co_await singer.join();  // waits for its end
    const std::string dance = co_await dancer.join();
    fmt::print("singer: {}\ndancer: {}\n", song, dance);
    try {
        co_await unlucky.join();
    } catch (const std::exception& error) {
        fmt::print("unlucky: {}\n", error.what());
    }

    std::atomic<bool> flag{false};
    ringlet::thread waiting{wait_for, std::ref(flag)};
    ringlet::thread raising{raise_flag, std::ref(flag)};
    co_await raising.join();
    const bool seen = co_await waiting.join();
    fmt::print("one thread has seen what the other has written: {}\n", seen);
}

int main() { ringlet::run(concert()); }
