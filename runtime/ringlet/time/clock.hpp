// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace ringlet {

/// The loop's clock: CLOCK_MONOTONIC, or virtual time under `ringlet/testing`.
struct clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<clock>;
    static constexpr bool is_steady = true;
    /// Now, on the loop of this thread; real time where no loop runs.
    static time_point now() noexcept;
    /// The same to some milliseconds, never ahead, for a fraction of the cost: for limits of seconds that are set often.
    static time_point coarse_now() noexcept;
};

/// A point in time on the loop's clock.
using deadline = clock::time_point;

/// The deadline `after` from now; never later than the clock can count.
deadline deadline_after(std::chrono::nanoseconds after) noexcept;
/// The same by the coarse clock: up to some milliseconds sooner.
deadline coarse_deadline_after(std::chrono::nanoseconds after) noexcept;

}  // namespace ringlet
