// SPDX-License-Identifier: MIT
#pragma once

#include "fetch/item.hpp"
#include <ringlet/net/tls_context.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fetch {

/// What to do when there is a file of the name that is wanted, and it is not the one that is asked for.
enum class existing_file : std::uint8_t {
    kept,      ///< the new one gets a number
    replaced,  ///< once the new one is complete; only a regular file
    wanted,    ///< it is taken for the one that is asked for: nothing is downloaded
};

/// What the command line asks for.
struct options {
    std::vector<item> items;  ///< one or more
    std::string directory = ".";
    std::string output;  ///< file for the only URL, "-" for standard output; empty: named after the URL
    existing_file existing = existing_file::kept;
    bool name_from_server = false;  ///< Content-Disposition
    bool durable = false;           ///< fsync before a file gets its name
    /// A write that takes longer is the last one for a while that holds up the others: a thread of the kernel does those.
    std::chrono::nanoseconds write_patience = std::chrono::milliseconds{10};
    bool trust_length = false;  ///< what has the length that is known is the same version where nothing else tells

    unsigned jobs = 8;      ///< items at a time
    unsigned per_host = 0;  ///< connections at a time to one host and port; 0: as many as jobs, or segments
    unsigned segments = 1;  ///< of one file
    std::uint64_t segment_bytes_min = std::uint64_t{1} << 20;  ///< what is smaller is not divided
    unsigned tries = 5;                                        ///< for one item
    std::chrono::nanoseconds retry_wait = std::chrono::seconds{1};
    std::chrono::nanoseconds stall_timeout = std::chrono::seconds{30};
    std::optional<std::chrono::nanoseconds> max_time;  ///< for one item, tries and waits included
    std::uint64_t rate = 0;                            ///< bytes a second, all items together; 0: no limit
    std::uint64_t rate_each = 0;                       ///< bytes a second, for each item; 0: no limit
    std::optional<std::uint64_t> bytes_max;            ///< of one file

    std::vector<std::pair<std::string, std::string>> headers;  ///< fields to send, beside our own or in place of them
    ringlet::net::tls_trust trust;                             ///< of https servers
    bool json = false;                                         ///< events on standard output
    bool quiet = false;
    bool verbose = false;

    [[nodiscard]] bool to_standard_output() const noexcept { return output == "-"; }
};

/// Reads the command line, and the list that it names. Result: nullopt when the program is to go on, else its exit status.
[[nodiscard]] std::optional<int> parse_options(int argc, char** argv, options& into);

}  // namespace fetch
