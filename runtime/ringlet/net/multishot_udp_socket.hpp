// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/message_receiver.hpp>
#include <ringlet/net/detail/datagram_op.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/udp_socket.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace ringlet::net {

/// A datagram in one of the loop's buffers. Gives the buffer back when destroyed; must not outlive the loop.
class datagram_lease : public io::message_lease {
public:
    datagram_lease() noexcept = default;
    explicit datagram_lease(io::message_lease taken) noexcept : message_lease{std::move(taken)} {}

    endpoint from() const noexcept {
        return endpoint{*reinterpret_cast<const sockaddr*>(name().data()), static_cast<socklen_t>(name().size())};
    }
    /// The address that it was sent to, with port 0: the socket's own has the port. Nullopt unless
    /// multishot_udp_socket::ask_for_destinations() was called before it came.
    std::optional<endpoint> to() const noexcept;
    /// Whether that address is one of this machine alone. One that was sent to many (broadcast, multicast) is not; what
    /// answers it may serve an attack on who seems to have sent it. True when the address is not known.
    bool is_to_one() const noexcept;
};

/// A UDP socket on which one request goes on receiving: for servers. Against udp_socket::recv_from it saves a request for
/// each datagram, brings several in one turn of the loop, has room for the largest there can be, and can tell the address
/// that was asked. A wait that is cancelled or times out costs nothing and loses nothing. Thread: the loop's thread only.
class multishot_udp_socket {
public:
    explicit multishot_udp_socket(udp_socket socket) : receiver_{std::move(socket).release()} {}

    /// Waits for a datagram; see io::message_receiver::next.
    auto recv_lease() noexcept { return receiver_.next_as<datagram_lease>(); }
    /// One that has come already, without waiting; see io::message_receiver::try_next.
    std::optional<datagram_lease> try_recv_lease() noexcept {
        std::optional<io::message_lease> taken = receiver_.try_next();
        if (!taken) return std::nullopt;
        return datagram_lease{*std::move(taken)};
    }
    /// Sends one datagram to `to`; see udp_socket::send_to.
    auto send_to(std::span<const std::byte> bytes, const endpoint& to) noexcept {
        return detail::send_to_op{receiver_.socket(), bytes, to};
    }

    /// From now on datagrams tell the address that they were sent to. For sockets of every address of the machine, which
    /// else answer from the one that the route prefers. Throws std::system_error.
    void ask_for_destinations();

    io::fd_ref socket() const noexcept { return receiver_.socket(); }
    endpoint local_endpoint() const noexcept { return local_endpoint_of(socket().get()); }

private:
    io::message_receiver receiver_;
};

}  // namespace ringlet::net
