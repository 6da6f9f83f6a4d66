// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/net/detail/datagram_op.hpp>
#include <ringlet/net/endpoint.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace ringlet::net {

/// A UDP socket. Move-only, one descriptor. Its port is its own: neither SO_REUSEADDR nor SO_REUSEPORT is set, so one
/// that is in use is an error. One job may receive while another sends.
class udp_socket {
public:
    /// Takes datagrams that are sent to `local`; port 0 lets the kernel choose, see local_endpoint().
    /// Errors: std::system_error as bind(2), "cannot use UDP port 9000 (0.0.0.0:9000): Address already in use".
    static udp_socket bind(const endpoint& local);

    /// Talks to one peer only: others' datagrams are not seen. From a port that the kernel chooses, or from `local`.
    /// Errors: std::system_error as connect(2) or bind(2), naming the address. No packet is sent.
    static udp_socket connect(const endpoint& peer);
    static udp_socket connect(const endpoint& peer, const endpoint& local);

    /// Waits for a datagram.
    ///
    /// Result:    its size, its sender, and its full size, larger when `buffer` was too short and the rest is gone.
    ///            An empty datagram is one, too.
    /// Errors:    std::system_error as recvmsg(2); `cancelled`, and then no datagram is lost.
    /// Lifetime:  borrows the socket and `buffer` until the co_await ends.
    /// Thread:    the loop's thread only.
    /// Maps to:   IORING_OP_RECVMSG with MSG_TRUNC.
    auto recv_from(std::span<std::byte> buffer) noexcept { return detail::recv_from_op{socket_, buffer}; }

    /// Sends one datagram to `to`.
    ///
    /// Result:    bytes sent: all of them.
    /// Errors:    std::system_error as sendmsg(2), EMSGSIZE for one that is too long; `cancelled`.
    /// Lifetime:  borrows the socket and `bytes` until the co_await ends.
    /// Thread:    the loop's thread only.
    /// Maps to:   IORING_OP_SENDMSG.
    auto send_to(std::span<const std::byte> bytes, const endpoint& to) noexcept {
        return detail::send_to_op{socket_, bytes, to};
    }

    /// Waits for a datagram of the connected peer; gives its size, cut to the buffer's. Errors: std::system_error;
    /// ECONNREFUSED says that nobody listened for one that was sent before. See io::recv_op.
    auto recv(std::span<std::byte> buffer) noexcept { return io::recv_op{socket_, buffer}; }

    /// Sends one datagram to the connected peer. See io::send_op.
    auto send(std::span<const std::byte> bytes) noexcept { return io::send_op{socket_, bytes}; }

    /// Gives the descriptor away.
    io::owned_fd release() && noexcept { return std::move(socket_); }
    endpoint local_endpoint() const noexcept { return local_endpoint_of(socket_.get()); }
    endpoint peer_endpoint() const noexcept { return peer_endpoint_of(socket_.get()); }
    io::fd_ref socket() const noexcept { return socket_; }

private:
    explicit udp_socket(io::owned_fd socket) noexcept : socket_{std::move(socket)} {}
    io::owned_fd socket_;
};

}  // namespace ringlet::net
