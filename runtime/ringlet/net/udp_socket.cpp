// SPDX-License-Identifier: MIT
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/udp_socket.hpp>

#include <cerrno>
#include <system_error>

namespace ringlet::net {
namespace {

io::owned_fd open_socket(const endpoint& address) {
    io::owned_fd socket{io::sys::socket(address.address().sa_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP)};
    if (!socket) throw std::system_error{errno, std::generic_category(), "UDP socket for " + address.to_string()};
    return socket;
}

void bind_to(io::fd_ref socket, const endpoint& local) {
    if (io::sys::bind(socket.get(), &local.address(), local.length()) == 0) return;
    const int error = errno;
    throw std::system_error{error, std::generic_category(),
                            fmt::format("cannot use UDP port {} ({})", local.port(), local)};
}

void connect_to(io::fd_ref socket, const endpoint& peer) {
    if (io::sys::connect(socket.get(), &peer.address(), peer.length()) == 0) return;
    throw std::system_error{errno, std::generic_category(), "connect to " + peer.to_string()};
}

}  // namespace

udp_socket udp_socket::bind(const endpoint& local) {
    io::owned_fd socket = open_socket(local);
    bind_to(socket, local);
    return udp_socket{std::move(socket)};
}

udp_socket udp_socket::connect(const endpoint& peer) {
    io::owned_fd socket = open_socket(peer);
    connect_to(socket, peer);
    return udp_socket{std::move(socket)};
}

udp_socket udp_socket::connect(const endpoint& peer, const endpoint& local) {
    io::owned_fd socket = open_socket(peer);
    bind_to(socket, local);
    connect_to(socket, peer);
    return udp_socket{std::move(socket)};
}

}  // namespace ringlet::net
