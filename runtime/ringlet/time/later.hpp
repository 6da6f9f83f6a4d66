// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/time/clock.hpp>

#include <chrono>

namespace ringlet::detail {

/// `by` after `when`; never later than the clock can count.
inline deadline later(deadline when, std::chrono::nanoseconds by) noexcept {
    return by > deadline::max() - when ? deadline::max() : when + by;
}

}  // namespace ringlet::detail
