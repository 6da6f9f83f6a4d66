// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/net/endpoint.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace xfer {

inline constexpr std::uint16_t port_default = 7779;

struct serve_options {
    std::string root;
    ringlet::net::endpoint address = ringlet::net::endpoint::loopback_v4(port_default);
    std::chrono::nanoseconds timeout = std::chrono::seconds{30};  ///< without progress; and for the end after a signal
    std::size_t connections_max = 1000;
    bool plain = false;
    bool json = false;
    bool quiet = false;
    bool verbose = false;
};

struct get_options {
    std::string host;
    std::uint16_t port = port_default;
    std::string name;                                             ///< empty: to be asked for, on the terminal
    std::string output;                                           ///< empty: the last part of the name
    std::chrono::nanoseconds timeout = std::chrono::seconds{30};  ///< without progress
    /// A write that takes longer is the last one for a while that holds up the loop: a thread of the kernel does those.
    std::chrono::nanoseconds write_patience = std::chrono::milliseconds{10};
    bool resume = false;
    bool force = false;
    bool plain = false;
    bool json = false;
    bool quiet = false;
    bool verbose = false;
};

using options = std::variant<serve_options, get_options>;

/// Reads the command line into `into`. Result: nullopt to go on, else the exit status.
std::optional<int> parse_options(int argc, char** argv, options& into);

/// Where a file of that name goes when nobody says so: its last part; empty where that is no name.
[[nodiscard]] std::string last_part(const std::string& name);

}  // namespace xfer
