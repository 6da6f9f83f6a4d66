// SPDX-License-Identifier: MIT
// A coroutine lambda's captures live in the closure, which is gone at the first suspension.
// expect: a coroutine lambda must not capture
// expect: Pass them as arguments
#include <ringlet/core/task.hpp>
#include <ringlet/time/sleep.hpp>

ringlet::task<> caller(int count) {
#ifdef CONTROL
    co_await [](int times) -> ringlet::task<> {
        for (int i = 0; i < times; ++i) co_await ringlet::yield();
    }(count);
#else
    co_await [count]() -> ringlet::task<> {
        for (int i = 0; i < count; ++i) co_await ringlet::yield();
    }();
#endif
}
