// SPDX-License-Identifier: MIT
// What Linux answers was asked of Linux 6.18 on its loopback.
#include <ringlet/testing/detail/network.hpp>
#include <ringlet/testing/detail/tcp_socket.hpp>
#include <ringlet/testing/detail/udp_socket.hpp>

#include <cerrno>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ringlet::testing::detail {

network::network(world& where) : world_{&where}, state_{std::make_shared<network_state>()} {}

std::int64_t network::socket(int domain, int type, int protocol, std::shared_ptr<open_file>& out) {
    constexpr int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    const int kind = type & ~flags;
    if (kind < 0 || kind > SOCK_PACKET) return -EINVAL;
    if (domain == AF_UNIX) {
        if (kind != SOCK_STREAM || protocol != 0) return -EPROTONOSUPPORT;
    } else if (domain != AF_INET && domain != AF_INET6) {
        return -EAFNOSUPPORT;
    }
    if (protocol < 0 || protocol >= IPPROTO_MAX) return -EINVAL;
    if (kind == SOCK_RAW && protocol == 0) return -EPROTONOSUPPORT;
    if (kind != SOCK_STREAM && kind != SOCK_DGRAM) return -ESOCKTNOSUPPORT;
    if (protocol != 0 && protocol != (kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP)) return -EPROTONOSUPPORT;
    if (kind == SOCK_STREAM)
        out = std::make_shared<tcp_socket>(*world_, state_, domain);
    else
        out = std::make_shared<udp_socket>(*world_, state_, domain);
    out->status_flags = O_RDWR | ((type & SOCK_NONBLOCK) != 0 ? O_NONBLOCK : 0);
    return 0;
}

std::int64_t network::socket_pair(std::shared_ptr<open_file>& a, std::shared_ptr<open_file>& b) {
    const auto first = std::make_shared<tcp_socket>(*world_, state_, AF_UNIX);
    const auto second = std::make_shared<tcp_socket>(*world_, state_, AF_UNIX);
    first->status_flags = second->status_flags = O_RDWR;
    tcp_socket::join(first, second);
    a = first;
    b = second;
    return 0;
}

}  // namespace ringlet::testing::detail
