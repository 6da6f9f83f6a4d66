// SPDX-License-Identifier: MIT
// One connection after the other. The state of a connection is on the stack of the only thread: whoever comes next waits
// until the one before has gone, also when that one says nothing at all.
#include "compare/models/models.hpp"
#include "compare/models/talk.hpp"
#include "compare/sockets.hpp"

namespace comparison {

void serve_sequential(ringlet::net::tcp_listener& listener, const site& pages) {
    for (;;) talk(accept_waiting(listener.socket().get()), pages);
}

}  // namespace comparison
