// SPDX-License-Identifier: MIT
// Multitasking with yield: two loops take turns, without threads.
//
// At each co_yield a generator stands still and gives control back to whoever called it. If all
// tasks do that often enough, a simple loop can run them in turn: one step of the first, one step
// of the second, and again. This is cooperative multitasking: nobody is interrupted, everybody lets
// the others run of his own will. One who never yields keeps them all waiting.
//
// A scheduler is nothing but this loop. What a real one adds: tasks that wait for the network or
// for time are left out until what they wait for is there (lessons spawn and epoll).

#include <ringlet/core/generator.hpp>

#include <fmt/core.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

ringlet::generator<int> work(std::string name, int steps) {
    for (int i = 1; i <= steps; ++i) {
        fmt::print("{}: step {}\n", name, i);
        co_yield i;  // the others' turn
    }
    fmt::print("{}: done\n", name);
}

void run_in_turn(std::vector<ringlet::generator<int>> tasks) {
    while (!tasks.empty()) {
        for (std::size_t i = 0; i < tasks.size();) {
            if (tasks[i].next())
                ++i;
            else
                tasks.erase(tasks.begin() + static_cast<std::ptrdiff_t>(i));  // it has ended
        }
    }
}

int main() {
    std::vector<ringlet::generator<int>> tasks;
    tasks.push_back(work("cook", 3));
    tasks.push_back(work("clean", 2));
    run_in_turn(std::move(tasks));
    fmt::print("nobody has work left\n");
}
