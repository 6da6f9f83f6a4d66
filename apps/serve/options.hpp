// SPDX-License-Identifier: MIT
#pragma once

#include "serve/access_log.hpp"
#include "serve/site.hpp"
#include <ringlet/net/endpoint.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace serve {

struct options {
    site_options site;
    ringlet::net::endpoint address = ringlet::net::endpoint::loopback_v4(8080);
    std::size_t connections_max = 10'000;
    std::size_t per_address_max = 0;  ///< 0: no limit
    std::size_t workers = 1;          ///< processes
    std::string tls_cert;             ///< file names; empty: plain HTTP
    std::string tls_key;
    log_format log = log_format::combined;
    bool quiet = false;
    bool verbose = false;

    /// Of each worker.
    std::size_t connections_max_each() const noexcept { return (connections_max + workers - 1) / workers; }
};

/// Reads the command line into `into`. Result: nullopt to go on, else the exit status.
std::optional<int> parse_options(int argc, char** argv, options& into);

}  // namespace serve
