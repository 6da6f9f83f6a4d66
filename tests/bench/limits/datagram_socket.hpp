// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace bench {

/// A UDP socket on loopback. Its address is printed, flushed at once. Exits with a message when it cannot be had.
int bind_to_loopback(std::uint16_t port);

}  // namespace bench
