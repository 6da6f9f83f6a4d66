// SPDX-License-Identifier: MIT
#pragma once

#include "load/options.hpp"

namespace bench {

/// Many connections, one message in flight on each: requests/s and the server's CPU time for each.
void run_closed_loop(const load_options& options);

/// One connection, one message in flight: the round trip's percentiles.
void run_ping_pong(const load_options& options);

/// Many connections that have nothing to say after one exchange: the server's resident bytes for each.
void run_idle(const load_options& options);

/// UDP sockets with several datagrams under way on each: datagrams/s and the server's CPU time for each.
void run_datagrams(const load_options& options);

}  // namespace bench
