// SPDX-License-Identifier: MIT
// Deadlock: two threads, two locks, and each has what the other wants. Two ways out.
//
// Anna takes the left fork and wants the right one; Ben takes the right fork and wants the left
// one. Both wait for ever. A program in this state uses no processor time and says nothing.
//
// Ways out: a lock with a time limit (Python: lock.acquire(timeout=0.02)), where one gives up, lets
// go of everything and tries again; or everybody takes the locks in the same order, which
// std::scoped_lock does for you.
//
// (Jobs of a loop can get into the same state. Lesson stuck shows what the loop does then.)

#include <fmt/core.h>

#include <chrono>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>

using namespace std::chrono_literals;

struct table {
    std::timed_mutex left;
    std::timed_mutex right;
    std::latch both_have_one{2};  // opens when two have arrived
};

void anna(table& at, int& gave_up) {
    std::unique_lock left{at.left};
    at.both_have_one.arrive_and_wait();
    for (;;) {
        std::unique_lock right{at.right, std::defer_lock};  // not taken yet
        if (right.try_lock_for(20ms)) return;               // both are hers, and free again when she leaves
        ++gave_up;
        left.unlock();  // without this, Ben waits for ever, and so does she
        std::this_thread::sleep_for(5ms);
        left.lock();
    }
}

void ben(table& at) {
    const std::lock_guard right{at.right};
    at.both_have_one.arrive_and_wait();
    const std::lock_guard left{at.left};  // waits without a limit
}

void with_a_time_limit() {
    table shared;
    int gave_up = 0;
    std::thread one{anna, std::ref(shared), std::ref(gave_up)};
    std::thread other{ben, std::ref(shared)};
    one.join();
    other.join();
    fmt::print("with a time limit: Anna gave up at least once: {}; both have eaten\n", gave_up > 0);
}

void eat_often(std::timed_mutex& first, std::timed_mutex& second) {
    for (int i = 0; i < 1000; ++i) const std::scoped_lock both{first, second};
}

void with_both_at_once() {
    table shared;
    std::thread one{eat_often, std::ref(shared.left), std::ref(shared.right)};
    std::thread other{eat_often, std::ref(shared.right), std::ref(shared.left)};
    one.join();
    other.join();
    fmt::print("with std::scoped_lock: each has eaten 1000 times\n");
}

int main() {
    with_a_time_limit();
    with_both_at_once();
}
