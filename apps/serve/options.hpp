// SPDX-License-Identifier: MIT
#pragma once

#include "serve/access_log.hpp"
#include "serve/site.hpp"
#include <ringlet/net/endpoint.hpp>

#include <cstddef>
#include <optional>

namespace serve {

struct options {
    site_options site;
    ringlet::net::endpoint address = ringlet::net::endpoint::loopback_v4(8080);
    std::size_t connections_max = 10'000;
    std::size_t per_address_max = 0;  ///< 0: no limit
    log_format log = log_format::combined;
    bool quiet = false;
    bool verbose = false;
};

/// Reads the command line into `into`. Result: nullopt to go on, else the exit status.
std::optional<int> parse_options(int argc, char** argv, options& into);

}  // namespace serve
