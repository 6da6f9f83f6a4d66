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

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <sys/uio.h>

namespace ringlet::net {

/// A TCP connection. Move-only, eight bytes, no buffer. One job may receive while another sends; two must not do the
/// same. Small writes go out at once (TCP_NODELAY), so gather what belongs together. The destructor closes.
class tcp_stream {
public:
    /// Takes over a connected socket, blocking and close-on-exec.
    explicit tcp_stream(io::owned_fd socket) noexcept : socket_{std::move(socket)} {}
    tcp_stream(tcp_stream&&) noexcept = default;
    tcp_stream& operator=(tcp_stream&&) noexcept = default;

    /// Connects to an address.
    ///
    /// Result:    the connection.
    /// Errors:    std::system_error as connect(2), naming the address; `cancelled`.
    /// Thread:    the loop's thread only.
    /// Maps to:   socket(2), IORING_OP_CONNECT.
    static task<tcp_stream> connect(endpoint peer);

    /// Looks a name up and connects to the first of its addresses that answers: the next one is tried as soon as one
    /// fails, or has not answered for 250 ms (RFC 8305).
    ///
    /// Result:    the connection.
    /// Errors:    those of `resolve`; when no address answers, the error of the first, naming it and the host.
    /// Thread:    the loop's thread only.
    static task<tcp_stream> connect(std::string host, std::uint16_t port);

    /// The same with the addresses that `resolve` has found for `host`, one or more.
    static task<tcp_stream> connect(std::vector<endpoint> peers, std::string host);

    /// Receives into `buffer`: 1 byte or more, 0 at the end of the stream. See io::recv_op.
    auto recv(std::span<std::byte> buffer) noexcept { return io::recv_op{socket_, buffer}; }

    /// Receives into one of the loop's buffers, so that an idle connection holds none; an empty lease at the end of
    /// the stream. Give the lease back soon: others wait for it. See io::recv_provided_op. Borrows the stream, too.
    auto recv_lease() noexcept { return io::recv_provided_op{socket_, more_}; }

    /// Whether the last recv_lease left something in the socket; before the first one: yes.
    bool may_hold_more() const noexcept { return more_; }

    /// Sends what the kernel takes at once. See io::send_op.
    auto send(std::span<const std::byte> bytes) noexcept { return io::send_op{socket_, bytes}; }

    /// Sends all of `bytes`. See io::send_all_op.
    auto send_all(std::span<const std::byte> bytes) noexcept { return io::send_all_op{socket_, bytes}; }

    /// Sends all of several buffers; changes `parts`. See io::sendmsg_all_op.
    auto send_all(std::span<iovec> parts) noexcept { return io::sendmsg_all_op{socket_, parts}; }

    /// Tells the peer that nothing more will be sent; receiving goes on. See io::shutdown_op.
    auto shutdown_send() noexcept { return io::shutdown_op{socket_, SHUT_WR}; }

    /// Unspecified once the connection is gone.
    endpoint local_endpoint() const noexcept { return local_endpoint_of(socket_.get()); }
    endpoint peer_endpoint() const noexcept { return peer_endpoint_of(socket_.get()); }

    io::fd_ref socket() const noexcept { return socket_; }
    /// Gives the socket up.
    io::owned_fd release() && noexcept { return std::move(socket_); }
    /// Closes now. Nothing may be in flight.
    void close() noexcept { socket_.reset(); }

private:
    io::owned_fd socket_;
    bool more_ = true;  // for recv_lease: the socket may hold data already
};
static_assert(sizeof(tcp_stream) <= 16);

/// A buffer of a gathered send.
inline iovec part_of(std::span<const std::byte> bytes) noexcept {
    return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

}  // namespace ringlet::net
