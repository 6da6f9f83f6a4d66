// SPDX-License-Identifier: MIT
// expect: nothing happens until this is awaited
// expect: unused-result
#include <ringlet/core/task.hpp>
#include <ringlet/time/sleep.hpp>

#include <chrono>

ringlet::task<> caller() {
    using namespace std::chrono_literals;
#ifdef CONTROL
    co_await ringlet::sleep(1s);
#else
    ringlet::sleep(1s);
    co_return;
#endif
}
