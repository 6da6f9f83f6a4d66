// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/error.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace ringlet::net {

/// How names are looked up.
struct resolve_options {
    enum class families : std::uint8_t { any, ipv4, ipv6 };

    resolve_options() noexcept {}
    /// Which addresses are wanted.
    families wanted = families::any;
    /// One resolution takes at most this long, whatever the name servers do.
    std::chrono::milliseconds limit{5000};
    /// How long one question waits before it is asked again; doubles.
    std::chrono::milliseconds question{1500};
    /// Whom to ask instead of the servers in /etc/resolv.conf.
    std::vector<endpoint> servers;
};

/// Finds the addresses of `host`: a numeric address, a name in /etc/hosts, or one that the name servers know.
///
/// Result:    one or more endpoints, in the order in which getaddrinfo(3) would give them (RFC 6724).
/// Errors:    std::system_error, "could not resolve host: HOST: why": errc::host_not_found, at once for names that cannot
///            exist (digits and dots that are no address, .invalid, over-long); errc::resolver_unavailable;
///            errc::resolver_timed_out. `cancelled`.
/// Thread:    the loop's thread only.
/// Maps to:   c-ares; its sockets are polled by the loop.
task<std::vector<endpoint>> resolve(std::string host, std::uint16_t port, resolve_options options = resolve_options());

}  // namespace ringlet::net
