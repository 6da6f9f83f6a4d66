// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/url.hpp>
#include <ringlet/net/tls_context.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace fetch {

/// What the command line asks for.
struct options {
    std::vector<ringlet::http::url> urls;  ///< one or more
    std::string directory = ".";
    std::string output;  ///< file for the only URL, "-" for standard output; empty: named after the URL
    unsigned jobs = 8;
    std::chrono::nanoseconds stall_timeout = std::chrono::seconds{30};
    ringlet::net::tls_trust trust;  ///< of https servers
    bool quiet = false;
    bool verbose = false;

    [[nodiscard]] bool to_standard_output() const noexcept { return output == "-"; }
};

/// Reads the command line. Result: nullopt when the program is to go on, else its exit status.
[[nodiscard]] std::optional<int> parse_options(int argc, char** argv, options& into);

}  // namespace fetch
