// SPDX-License-Identifier: MIT
// What somebody else's project looks like: found by pkg-config or as a Meson subproject, ten lines, no tricks.
#include <ringlet/ringlet.hpp>

#include <cstdio>

ringlet::task<int> answer() {
    co_await ringlet::yield();
    co_return 42;
}

ringlet::task<> print_answer() { std::printf("the answer is %d\n", co_await answer()); }

int main() { ringlet::run(print_answer()); }
