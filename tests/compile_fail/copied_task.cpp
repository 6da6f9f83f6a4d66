// SPDX-License-Identifier: MIT
// expect-clang: deleted
// expect-gcc: deleted
#include <ringlet/core/task.hpp>

#include <utility>

ringlet::task<int> work() { co_return 1; }

ringlet::task<int> caller() {
    auto first = work();
#ifdef CONTROL
    auto second = std::move(first);
#else
    auto second = first;
#endif
    co_return co_await std::move(second);
}
