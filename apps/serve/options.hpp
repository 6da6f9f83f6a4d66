// SPDX-License-Identifier: MIT
#pragma once

#include "serve/site.hpp"
#include <ringlet/net/endpoint.hpp>

#include <optional>

namespace serve {

struct options {
    site_options site;
    ringlet::net::endpoint address = ringlet::net::endpoint::loopback_v4(8080);
    bool quiet = false;
    bool verbose = false;
};

/// Reads the command line into `into`. Result: nullopt to go on, else the exit status.
std::optional<int> parse_options(int argc, char** argv, options& into);

}  // namespace serve
