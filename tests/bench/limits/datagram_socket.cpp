// SPDX-License-Identifier: MIT
#include "limits/datagram_socket.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <sys/socket.h>

namespace bench {

int bind_to_loopback(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        fmt::print(stderr, "{}: bind: {}\n", program_invocation_short_name, std::strerror(errno));
        std::exit(2);
    }
    socklen_t length = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    fmt::print("Echoing UDP at 127.0.0.1:{}\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return fd;
}

}  // namespace bench
