// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/net/endpoint.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace chat {

struct options {
    std::string host;  // empty: whoever writes first
    std::uint16_t peer_port = 0;
    std::optional<std::uint16_t> port;
    std::optional<ringlet::net::endpoint> bind;  // with port 0
    std::string nick;                            // clean
    std::uint32_t limit = 1000;                  // messages of one sender a second; 0: all
    bool menu = false;
    bool verbose = false;
};

/// Where a chat that names no peer waits, unless told otherwise.
constexpr std::uint16_t port_default = 7778;

/// Reads the command line into `into`. Result: nullopt to go on, else the exit status.
std::optional<int> parse_options(int argc, char** argv, options& into);

}  // namespace chat
