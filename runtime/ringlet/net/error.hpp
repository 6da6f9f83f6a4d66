// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <system_error>

namespace ringlet::net {

/// What goes wrong on the way to a peer and is no errno.
enum class errc {
    unexpected_end = 1,    ///< the peer closed the connection in the middle of a message
    too_long,              ///< a line or message is longer than the limit
    host_not_found,        ///< the name does not exist, or has no address: asking again will not help
    resolver_unavailable,  ///< no name server gave an answer that can be used; may pass
    resolver_timed_out,    ///< no name server answered in time; may pass
    tls_failed,            ///< a TLS session could not be set up, or one side broke its rules
    certificate_refused,   ///< the peer's certificate is not one to trust
};

const std::error_category& error_category() noexcept;
inline std::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), error_category()}; }

/// True for the errors by which peers come and go: reset, broken pipe, timeout, unreachable, an end in mid-message.
bool is_disconnect(const std::error_code& code) noexcept;

}  // namespace ringlet::net

template <>
struct std::is_error_code_enum<ringlet::net::errc> : std::true_type {};
