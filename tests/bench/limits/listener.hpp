// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

/// A listening socket on loopback. Its address is printed after `says`, flushed at once. `flags` go to socket(2). Exits with
/// a message when it cannot be had.
int listen_on_loopback(std::string_view says, std::uint16_t port, const std::string& congestion, int flags = 0);

}  // namespace bench
