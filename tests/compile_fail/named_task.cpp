// SPDX-License-Identifier: MIT
// A task is awaited once: that it is used up must be visible.
// expect: write co_await std::move(x)
#include <ringlet/core/task.hpp>

#include <utility>

ringlet::task<int> work() { co_return 1; }

ringlet::task<int> caller() {
    auto later = work();
#ifdef CONTROL
    co_return co_await std::move(later);
#else
    co_return co_await later;
#endif
}
