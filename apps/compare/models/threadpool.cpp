// SPDX-License-Identifier: MIT
// As many threads as were started at the beginning, each of which serves one connection after the other. No thread is made
// for a connection, and no more than so many are ever served: the next one waits, also when they all say nothing.
#include "compare/models/models.hpp"
#include "compare/models/talk.hpp"
#include "compare/sockets.hpp"

#include <cstddef>
#include <thread>
#include <vector>

namespace comparison {
namespace {

constexpr std::size_t threads = 64;

}  // namespace

void serve_threadpool(ringlet::net::tcp_listener& listener, const site& pages) {
    const int socket = listener.socket().get();
    const auto serve = [socket, &pages] {
        for (;;) talk(accept_waiting(socket), pages);  // the kernel gives each connection to one of them
    };
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back(serve);
    serve();
}

}  // namespace comparison
