// SPDX-License-Identifier: MIT
// expect: write co_await std::move(x)
#include <ringlet/core/task.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <chrono>
#include <utility>

ringlet::task<> caller() {
    using namespace std::chrono_literals;
    auto pause = ringlet::with_timeout(1s, ringlet::sleep(2s));
#ifdef CONTROL
    co_await std::move(pause);
#else
    co_await pause;
#endif
}
