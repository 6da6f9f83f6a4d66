// SPDX-License-Identifier: MIT
#pragma once

#include "catch.hpp"
#include <ringlet/io/fd.hpp>

#include <array>
#include <span>
#include <string_view>

#include <sys/socket.h>

namespace ringlet_tests {

/// Two connected local sockets.
struct socket_pair {
    explicit socket_pair(int type = SOCK_STREAM) {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) == 0);
        a = ringlet::io::owned_fd{ends[0]};
        b = ringlet::io::owned_fd{ends[1]};
    }
    ringlet::io::owned_fd a;
    ringlet::io::owned_fd b;
};

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span{text}); }

}  // namespace ringlet_tests
