// SPDX-License-Identifier: MIT
// expect: nothing happens until this is awaited
// expect: unused-result
#include <ringlet/core/task.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <chrono>

ringlet::task<> caller() {
    using namespace std::chrono_literals;
#ifdef CONTROL
    co_await ringlet::with_timeout(1s, ringlet::sleep(2s));
#else
    ringlet::with_timeout(1s, ringlet::sleep(2s));
    co_return;
#endif
}
