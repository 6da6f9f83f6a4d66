// SPDX-License-Identifier: MIT
// What the tests of net share.
#pragma once

#include "core/support.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>

namespace ringlet_tests {

/// Two connected streams, without a network.
inline std::pair<ringlet::net::tcp_stream, ringlet::net::tcp_stream> stream_pair() {
    std::array<int, 2> fds{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
    return {ringlet::net::tcp_stream{ringlet::io::owned_fd{fds[0]}},
            ringlet::net::tcp_stream{ringlet::io::owned_fd{fds[1]}}};
}

/// Everything up to the end of the stream.
inline ringlet::task<std::string> read_to_end(ringlet::net::tcp_stream& stream) {
    std::string all;
    std::array<std::byte, 512> buffer;
    while (const std::size_t n = co_await stream.recv(buffer)) all += ringlet::as_text(std::span{buffer}.first(n));
    co_return all;
}

inline ringlet::net::tcp_listener any_listener() {
    return ringlet::net::tcp_listener::bind(ringlet::net::endpoint::loopback_v4(0));
}

}  // namespace ringlet_tests
