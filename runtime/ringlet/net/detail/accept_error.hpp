// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <chrono>

namespace ringlet::net::detail {

/// How long a listener waits before it tries again after a shortage: doubling, from the first to the most.
inline constexpr std::chrono::milliseconds accept_backoff_first{10};
inline constexpr std::chrono::milliseconds accept_backoff_most{1000};

/// Linux hands errors of the new connection to accept(2); its manual page tells to treat them like EAGAIN.
inline bool concerns_one_peer(int error) noexcept {
    switch (error) {
        case ECONNABORTED:
        case EPROTO:
        case EPERM:
        case ENETDOWN:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EAGAIN:
        case EINTR:
            return true;
        default:
            return false;
    }
}

inline bool is_shortage(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace ringlet::net::detail
