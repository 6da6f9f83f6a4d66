// SPDX-License-Identifier: MIT
// What as_result gives is looked at, or it hides an error.
// only: clang (g++ 12 does not look at [[nodiscard]] behind co_await)
// expect: a result may hold an error
// expect: unused-result
#include <ringlet/core/task.hpp>
#include <ringlet/time/sleep.hpp>

#include <chrono>

ringlet::task<> caller() {
    using namespace std::chrono_literals;
#ifdef CONTROL
    const auto slept = co_await ringlet::as_result(ringlet::sleep(1s));
    if (!slept) co_return;
#else
    co_await ringlet::as_result(ringlet::sleep(1s));
#endif
}
