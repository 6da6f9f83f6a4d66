// SPDX-License-Identifier: MIT
#include "limits/listener.hpp"

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

int listen_on_loopback(std::string_view says, std::uint16_t port, const std::string& congestion, int flags) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    const int on = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // inherited by what is accepted
    if (!congestion.empty())
        require(::setsockopt(listener, IPPROTO_TCP, TCP_CONGESTION, congestion.data(),
                             static_cast<socklen_t>(congestion.size())) == 0,
                "TCP_CONGESTION");
    require(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
    require(::listen(listener, 4096) == 0, "listen");
    socklen_t length = sizeof address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    fmt::print("{}127.0.0.1:{}\n", says, ntohs(address.sin_port));
    std::fflush(stdout);
    return listener;
}

}  // namespace bench
