// SPDX-License-Identifier: MIT
// Calls that never wait, and a loop that asks every connection over and over again whether there is something to do. The
// state of a connection is an object. Nobody waits for anybody; but the processor is busy also when nothing happens, and a
// thousand silent connections are asked before the one that has something to say.
#include "compare/models/connection.hpp"
#include "compare/models/models.hpp"
#include "compare/sockets.hpp"

#include <list>

#include <fcntl.h>

namespace comparison {

void serve_nonblocking(ringlet::net::tcp_listener& listener, const site& pages) {
    ::fcntl(listener.socket().get(), F_SETFL, O_RDWR | O_NONBLOCK);
    std::list<connection> all;
    for (;;) {
        for (int client = 0; (client = accept_at_once(listener.socket().get())) >= 0;) all.emplace_back(client, pages);
        const auto now = connection::clock::now();
        all.remove_if([now](connection& each) { return each.go_on(now) == connection::wants::end; });
    }
}

}  // namespace comparison
