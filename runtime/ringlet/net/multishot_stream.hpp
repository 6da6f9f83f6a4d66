// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/op/send_all.hpp>
#include <ringlet/io/op/sendmsg_all.hpp>
#include <ringlet/io/op/shutdown.hpp>
#include <ringlet/io/receiver.hpp>
#include <ringlet/net/tcp_stream.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace ringlet::net {

/// A TCP connection on which one request goes on receiving: for servers that exchange many small messages. Against
/// tcp_stream::recv_lease it saves a request per message, and a wait that is cancelled or times out costs nothing and
/// loses nothing. Thread: the loop's thread only.
class multishot_stream {
public:
    explicit multishot_stream(tcp_stream stream) : receiver_{std::move(stream).release()} {}

    /// See io::receiver::next.
    auto recv_lease() noexcept { return receiver_.next(); }
    /// See io::receiver.
    bool may_hold_more() const noexcept { return receiver_.may_hold_more(); }
    bool keeps_some() const noexcept { return receiver_.keeps_some(); }
    /// See io::send_all_op and io::sendmsg_all_op.
    auto send_all(std::span<const std::byte> bytes) noexcept { return io::send_all_op{receiver_.socket(), bytes}; }
    auto send_all(std::span<iovec> parts) noexcept { return io::sendmsg_all_op{receiver_.socket(), parts}; }
    /// Tells the peer that nothing more will be sent; receiving goes on. See io::shutdown_op.
    auto shutdown_send() noexcept { return io::shutdown_op{receiver_.socket(), SHUT_WR}; }

    /// Closes now. Nothing may be in flight, and nothing else may follow.
    void close() noexcept { receiver_.close(); }

    io::fd_ref socket() const noexcept { return receiver_.socket(); }
    /// Unspecified once the connection is gone.
    endpoint peer_endpoint() const noexcept { return peer_endpoint_of(socket().get()); }

private:
    io::receiver receiver_;
};

}  // namespace ringlet::net
