// SPDX-License-Identifier: MIT
#pragma once

#include "compare/results.hpp"

#include <vector>

namespace comparison {

/// Where a share stands on an axis that stretches the tail, from 0 to `positions`: 0.9 at 1, 0.99 at 2, 0.999 at 3, and what
/// is rarer than one in ten thousand at the end.
[[nodiscard]] double position_of(double share) noexcept;
inline constexpr double positions = 4;

/// The curve with both its ends and no more points than can be told apart on that axis: about 100 at most.
[[nodiscard]] std::vector<latencies::point> thinned(const latencies& times);

/// The run whose median time is the middle one of all that had answers; null when none had.
[[nodiscard]] const measurement* typical_run(const row& one);

}  // namespace comparison
