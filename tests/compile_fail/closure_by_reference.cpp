// SPDX-License-Identifier: MIT
// A coroutine function that takes a lambda by reference looks like the lambda's own body; the error names this case, too.
// expect: a coroutine function whose first parameter is a reference to such a lambda
// expect: let it take the lambda by value or by pointer
#include <ringlet/core/task.hpp>
#include <ringlet/time/sleep.hpp>

template <class F>
#ifdef CONTROL
ringlet::task<> repeat(F* step, int times) {
    for (int i = 0; i < times; ++i) {
        (*step)(i);
        co_await ringlet::yield();
    }
}
#else
ringlet::task<> repeat(F& step, int times) {
    for (int i = 0; i < times; ++i) {
        step(i);
        co_await ringlet::yield();
    }
}
#endif

ringlet::task<> caller(int& sum) {
    auto add = [&sum](int i) { sum += i; };
#ifdef CONTROL
    co_await repeat(&add, 3);
#else
    co_await repeat(add, 3);
#endif
}
