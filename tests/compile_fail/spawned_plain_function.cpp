// SPDX-License-Identifier: MIT
// expect: spawn takes a coroutine function that returns a ringlet::task
#include <ringlet/core/job.hpp>

#ifdef CONTROL
ringlet::task<int> work() { co_return 1; }
#else
int work() { return 1; }
#endif

ringlet::task<int> caller() {
    auto working = ringlet::spawn(work);
    co_return co_await working.get();
}
