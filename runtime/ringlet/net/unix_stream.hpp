// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/recv_provided.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/op/send_all.hpp>
#include <ringlet/io/op/sendmsg_all.hpp>
#include <ringlet/io/op/shutdown.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/unix_address.hpp>

#include <cstddef>
#include <span>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace ringlet::net {

/// A connection between processes of one machine. As tcp_stream: move-only, no buffer; one job may receive while another
/// sends. The destructor closes.
class unix_stream {
public:
    /// Takes over a connected socket, blocking and close-on-exec.
    explicit unix_stream(io::owned_fd socket) noexcept : socket_{std::move(socket)} {}
    unix_stream(unix_stream&&) noexcept = default;
    unix_stream& operator=(unix_stream&&) noexcept = default;

    /// Connects to a path or to "@name". While the listener's backlog is full, it tries again after 1 ms, doubling to
    /// 100 ms: with_timeout limits that.
    ///
    /// Result:    the connection.
    /// Errors:    std::system_error as connect(2), naming the address: ENOENT, ECONNREFUSED when nobody listens; `cancelled`.
    /// Thread:    the loop's thread only.
    /// Maps to:   socket(2), IORING_OP_CONNECT.
    static task<unix_stream> connect(unix_address peer);

    /// Two ends of one connection, for a child or another thread: socketpair(2). Throws std::system_error.
    static std::pair<unix_stream, unix_stream> pair();

    /// Receives into `buffer`: 1 byte or more, 0 at the end of the stream. See io::recv_op.
    auto recv(std::span<std::byte> buffer) noexcept { return io::recv_op{socket_, buffer}; }

    /// Receives into one of the loop's buffers. See tcp_stream::recv_lease.
    auto recv_lease() noexcept { return io::recv_provided_op{socket_, more_}; }

    /// Sends what the kernel takes at once. See io::send_op.
    auto send(std::span<const std::byte> bytes) noexcept { return io::send_op{socket_, bytes}; }

    /// Sends all of `bytes`. See io::send_all_op.
    auto send_all(std::span<const std::byte> bytes) noexcept { return io::send_all_op{socket_, bytes}; }

    /// Sends all of several buffers; changes `parts`. See io::sendmsg_all_op.
    auto send_all(std::span<iovec> parts) noexcept { return io::sendmsg_all_op{socket_, parts}; }

    /// Tells the peer that nothing more will be sent; receiving goes on. See io::shutdown_op.
    auto shutdown_send() noexcept { return io::shutdown_op{socket_, SHUT_WR}; }

    /// The peer's process, user and group, as the kernel vouches for them. Throws std::system_error.
    peer_credentials credentials() const;

    /// Unnamed where there is none: the client's.
    unix_address local_address() const noexcept;
    unix_address peer_address() const noexcept;
    /// Unspecified: what `serve` reports of a peer.
    endpoint peer_endpoint() const noexcept { return {}; }

    io::fd_ref socket() const noexcept { return socket_; }
    /// Gives the socket up.
    io::owned_fd release() && noexcept { return std::move(socket_); }
    /// Closes now. Nothing may be in flight.
    void close() noexcept { socket_.reset(); }

private:
    io::owned_fd socket_;
    bool more_ = true;  // for recv_lease: the socket may hold data already
};

}  // namespace ringlet::net
