// SPDX-License-Identifier: MIT
// The lost update: two threads add to one number, without a lock and with one.
//
// "number = number + 1" is three steps: read the number, add one, write it back. When two threads
// both read 7 before either writes, both write 8, and one of the two additions is lost. Usually
// they miss each other, so a program with this mistake works for weeks. Here a barrier (a place
// where threads wait until all have arrived) makes sure that they meet every time: both have read
// before either writes.
//
// A lock (mutex, for "mutual exclusion") lets one thread in at a time: with reading and writing
// both behind it, nothing gets lost. For one number there is a shorter way, an atomic addition,
// which the processor does in one step.
//
// The number is a std::atomic although that helps nothing in the first case: C++ forbids two
// threads to use a plain int at the same time when one of them writes. load() is the read, store()
// the write; between them others may do what they like.

#include <fmt/core.h>

#include <atomic>
#include <barrier>
#include <functional>
#include <mutex>
#include <thread>

constexpr int additions = 1000;  // for each of two threads

struct account {
    std::atomic<int> number{0};
    std::mutex lock;
    std::barrier<> both_are_here{2};
};

void add_without_a_lock(account& to) {
    for (int i = 0; i < additions; ++i) {
        const int read = to.number.load(std::memory_order_relaxed);
        to.both_are_here.arrive_and_wait();  // now both have read
        to.number.store(read + 1, std::memory_order_relaxed);
        to.both_are_here.arrive_and_wait();  // now both have written; on to the next
    }
}

void add_with_a_lock(account& to) {
    for (int i = 0; i < additions; ++i) {
        const std::lock_guard held{to.lock};  // Python: with lock:
        const int read = to.number.load(std::memory_order_relaxed);
        to.number.store(read + 1, std::memory_order_relaxed);
    }  // and here it is free again
}

void add_in_one_step(account& to) {
    for (int i = 0; i < additions; ++i) to.number.fetch_add(1);
}

void show(const char* how, void (*add)(account&)) {
    account shared;
    std::thread one{add, std::ref(shared)};
    std::thread other{add, std::ref(shared)};
    one.join();
    other.join();
    fmt::print("{}: {} of {} additions are there\n", how, shared.number.load(), 2 * additions);
}

int main() {
    show("without a lock", add_without_a_lock);
    show("with a lock", add_with_a_lock);
    show("in one step", add_in_one_step);
}
