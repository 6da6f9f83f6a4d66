// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/net/endpoint.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace echo {

struct options {
    ringlet::net::endpoint address = ringlet::net::endpoint::loopback_v4(7777);
    bool tcp = false;
    unsigned buffer_bytes = 4096;
    std::optional<std::chrono::nanoseconds> time_limit;
    std::uint32_t rate_per_source = 0;  // UDP: answers a second; 0: no cap
    bool quiet = false;
    bool verbose = false;
};

/// Reads the command line into `into`. Result: nullopt to go on, else the exit status.
std::optional<int> parse_options(int argc, char** argv, options& into);

}  // namespace echo
