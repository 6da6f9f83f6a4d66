// SPDX-License-Identifier: MIT
// expect: a task does nothing until it is awaited or spawned
// expect: unused-result
#include <ringlet/core/task.hpp>

ringlet::task<int> work() { co_return 1; }

ringlet::task<int> caller() {
#ifdef CONTROL
    co_return co_await work();
#else
    work();
    co_return 1;
#endif
}
