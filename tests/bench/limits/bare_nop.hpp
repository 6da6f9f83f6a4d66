// SPDX-License-Identifier: MIT
#pragma once

#include "common/ring.hpp"

#include <cstdint>

namespace bench {

/// The limit for an awaited operation: NOPs through liburing and nothing else, `in_flight` at a time. The completion of
/// each submits the next, one io_uring_enter a turn. Returns nanoseconds for each.
double bare_nop_ns(ring& ring, unsigned in_flight, std::uint64_t total);

}  // namespace bench
