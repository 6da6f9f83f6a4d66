// SPDX-License-Identifier: MIT
#pragma once

#include "chat/options.hpp"
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/udp_socket.hpp>

namespace chat {

/// An IPv4 address in IPv6 clothes, ::ffff:a.b.c.d, as what it is; others as they are.
ringlet::net::endpoint without_mapping(const ringlet::net::endpoint& address) noexcept;

/// `address` as a socket whose own address is `local` takes it: one for IPv6 reaches IPv4 under such names.
ringlet::net::endpoint as_taken_by(const ringlet::net::endpoint& local, const ringlet::net::endpoint& address) noexcept;

/// The socket of a chat, with as much room for what comes as we are allowed. `peer` is unspecified when nobody is
/// known yet: then it takes IPv6 and IPv4. Errors: those of udp_socket::bind, in clear words when the port is in use.
ringlet::net::udp_socket open_socket(const options& how, const ringlet::net::endpoint& peer);

}  // namespace chat
