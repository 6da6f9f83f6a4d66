// SPDX-License-Identifier: MIT
#include "load/sockets.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

void give_up(const std::string& what) {
    fmt::print(stderr, "{}: {}\n", program_invocation_short_name, what);
    std::exit(1);
}

socket_handle::socket_handle(const load_options& options) : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    if (fd_ < 0) give_up(fmt::format("socket: {}", std::strerror(errno)));
    const int on = 1;
    const timeval patience{10, 0};
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!options.congestion.empty() && ::setsockopt(fd_, IPPROTO_TCP, TCP_CONGESTION, options.congestion.data(),
                                                    static_cast<socklen_t>(options.congestion.size())) != 0)
        give_up(fmt::format("congestion control {}: {}", options.congestion, std::strerror(errno)));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    if (::inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) != 1)
        give_up(fmt::format("{} is no IPv4 address", options.host));
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        give_up(fmt::format("connect {}:{}: {}", options.host, options.port, std::strerror(errno)));
}

socket_handle::~socket_handle() {
    if (fd_ >= 0) ::close(fd_);
}

void socket_handle::send_all(std::span<const std::byte> data) const {
    while (!data.empty()) {
        const ssize_t sent = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) give_up(fmt::format("send: {}", std::strerror(errno)));
        data = data.subspan(static_cast<std::size_t>(sent));
    }
}

std::span<const std::byte> socket_handle::receive(std::span<std::byte> buffer, std::chrono::microseconds spin) const {
    using clock = std::chrono::steady_clock;
    const auto stop_spinning = clock::now() + spin;
    for (;;) {
        const bool spinning = spin.count() != 0 && clock::now() < stop_spinning;
        const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), spinning ? MSG_DONTWAIT : 0);
        if (got > 0) return buffer.first(static_cast<std::size_t>(got));
        if (got == 0) give_up("the server closed a connection");
        if (errno == EINTR || (spinning && errno == EAGAIN)) continue;
        give_up(errno == EAGAIN ? "no answer within ten seconds" : fmt::format("recv: {}", std::strerror(errno)));
    }
}

}  // namespace bench
