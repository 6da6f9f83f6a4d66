// SPDX-License-Identifier: MIT
// A thread for each connection. The state of a connection is on the stack of its thread: written as straight as for one
// connection alone. The price is a stack and a place in the kernel's scheduler for each one who comes.
#include "compare/models/models.hpp"
#include "compare/models/talk.hpp"
#include "compare/sockets.hpp"

#include <functional>
#include <semaphore>
#include <system_error>
#include <thread>

#include <unistd.h>

namespace comparison {
namespace {

constexpr std::ptrdiff_t threads_max = 10'000;
std::counting_semaphore<threads_max> places{threads_max};

void run(int client, const site& pages) {
    talk(client, pages);
    places.release();
}

}  // namespace

void serve_thread(ringlet::net::tcp_listener& listener, const site& pages) {
    for (;;) {
        const int client = accept_waiting(listener.socket().get());
        places.acquire();
        try {
            std::thread{run, client, std::cref(pages)}.detach();
        } catch (const std::system_error&) {  // no more threads: this client is told by the end of its connection
            ::close(client);
            places.release();
        }
    }
}

}  // namespace comparison
