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
    const auto slept = co_await ringlet::as_result(ringlet::sleep(2s));
    if (!slept) co_return;
#else
    ringlet::as_result(ringlet::sleep(2s));
    co_return;
#endif
}
