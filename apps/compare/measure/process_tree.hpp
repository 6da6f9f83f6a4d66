// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace comparison {

/// A process with all its descendants, as they are at one moment.
struct process_tree {
    unsigned processes = 0;
    unsigned threads = 0;
    /// Proportional set size: a page that several share counts for each by its part, so that forks are not counted twice.
    std::uint64_t memory_bytes = 0;
};

/// Reads /proc. What ends meanwhile counts as far as it was seen; zeros when it cannot be read.
process_tree look_at_tree(pid_t root);

/// The number behind a name in such a file, as in "Threads:	64"; 0: there is none.
std::uint64_t number_in(const std::string& path, std::string_view name);

}  // namespace comparison
