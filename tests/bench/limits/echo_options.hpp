// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

struct echo_options {
    std::uint16_t port = 0;
    int core = -1;
    unsigned buffers = 256;
    std::size_t buffer_bytes = 4096;
    std::uint64_t spin_ns = 0;
    std::uint64_t corrupt_after = 0;  // flip a bit in the n-th chunk that is echoed; 0: never
    bool direct = false;
    std::string congestion;
};

/// Exits with a usage text when the command line is wrong.
echo_options parse_echo_options(int argc, char** argv);

}  // namespace bench
