// SPDX-License-Identifier: MIT
#pragma once

#include "limits/echo_options.hpp"

namespace bench {

/// A listening socket on loopback, whose address is printed, flushed at once. `flags` go to socket(2). Exits with a message
/// when it cannot be had.
int listen_for_echo(const echo_options& options, int flags = 0);

}  // namespace bench
