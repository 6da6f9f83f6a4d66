// SPDX-License-Identifier: MIT
// As capturing_lambda, where operator() is a template.
// expect: a coroutine lambda must not capture
#include <ringlet/core/task.hpp>
#include <ringlet/time/sleep.hpp>

ringlet::task<> caller(int count) {
#ifdef CONTROL
    co_await [](auto times) -> ringlet::task<> {
        for (int i = 0; i < times; ++i) co_await ringlet::yield();
    }(count);
#else
    co_await [count](auto step) -> ringlet::task<> {
        for (int i = 0; i < count; i += step) co_await ringlet::yield();
    }(2);
#endif
}
