// SPDX-License-Identifier: MIT
#include "limits/echo_listener.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace bench {
namespace {

void require(bool done, const char* what) {
    if (done) return;
    fmt::print(stderr, "{}: {}: {}\n", program_invocation_short_name, what, std::strerror(errno));
    std::exit(2);
}

}  // namespace

int listen_for_echo(const echo_options& options, int flags) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    const int on = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // inherited by what is accepted
    if (!options.congestion.empty())
        require(::setsockopt(listener, IPPROTO_TCP, TCP_CONGESTION, options.congestion.data(),
                             static_cast<socklen_t>(options.congestion.size())) == 0,
                "TCP_CONGESTION");
    require(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
    require(::listen(listener, 4096) == 0, "listen");
    socklen_t length = sizeof address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    fmt::print("Echoing TCP at 127.0.0.1:{}\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return listener;
}

}  // namespace bench
