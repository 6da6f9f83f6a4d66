// SPDX-License-Identifier: MIT
// Another library's awaitable would resume the coroutine behind the loop's back.
// expect: this type cannot be awaited in a ringlet task
#include <ringlet/core/task.hpp>
#include <ringlet/time/sleep.hpp>

#include <coroutine>

ringlet::task<> caller() {
#ifdef CONTROL
    co_await ringlet::yield();
#else
    co_await std::suspend_always{};
#endif
}
