// SPDX-License-Identifier: MIT
// expect: with_task_group calls function(group, args...)
// expect: the function does not take these arguments
#include <ringlet/core/task_group.hpp>

ringlet::task<> work(ringlet::task_group&, int) { co_return; }

ringlet::task<> caller() {
#ifdef CONTROL
    co_await ringlet::with_task_group(work, 1);
#else
    co_await ringlet::with_task_group(work, "one");
#endif
}
