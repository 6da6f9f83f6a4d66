// SPDX-License-Identifier: MIT
// A reference capture dangles as soon as a job outlives its caller; spawned or awaited, the rule is one.
// expect: a coroutine lambda must not capture
// expect: Pass them as arguments
#include <ringlet/core/job.hpp>
#include <ringlet/time/sleep.hpp>

#include <functional>

ringlet::task<> caller() {
    int count = 0;
#ifdef CONTROL
    auto counting = ringlet::spawn(
        [](int& counter) -> ringlet::task<> {
            co_await ringlet::yield();
            ++counter;
        },
        std::ref(count));
#else
    auto counting = ringlet::spawn([&]() -> ringlet::task<> {
        co_await ringlet::yield();
        ++count;
    });
#endif
    co_await counting.join();
}
