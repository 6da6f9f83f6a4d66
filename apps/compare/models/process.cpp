// SPDX-License-Identifier: MIT
// A process for each connection. The state of a connection is on the stack of its process: it may wait as long as it likes,
// crash, or leak, and nobody else feels it. The price is a copy of the address space for each one who comes.
#include "compare/models/models.hpp"
#include "compare/models/talk.hpp"
#include "compare/sockets.hpp"

#include <csignal>
#include <cstddef>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace comparison {
namespace {

constexpr std::size_t processes_max = 1100;

// Ended children stay in the process table until somebody asks for their status. Waits where no more may be started.
std::size_t reap(std::size_t running) {
    while (running > 0 && ::waitpid(-1, nullptr, running < processes_max ? WNOHANG : 0) > 0) --running;
    return running;
}

}  // namespace

void serve_process(ringlet::net::tcp_listener& listener, const site& pages) {
    const pid_t server = ::getpid();
    std::size_t running = 0;
    for (;;) {
        const int client = accept_waiting(listener.socket().get());
        running = reap(running);
        const pid_t child = ::fork();
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // none outlives the server
            if (::getppid() != server) ::_exit(1);
            listener.close();
            talk(client, pages);
            ::_exit(0);
        }
        if (child > 0) ++running;
        // The child has its own descriptor of it. Were ours not closed, the connection would never end.
        ::close(client);
    }
}

}  // namespace comparison
