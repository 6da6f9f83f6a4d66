// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/fs/directory.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace serve {

/// A line of a listing.
struct listed {
    std::string name;
    bool is_directory = false;
    std::uint64_t bytes = 0;
    std::chrono::sys_seconds modified;
};

/// Which entries of a directory are served, folders first, then by name: no dotfile, and nothing that a request for it
/// would not get. Links are looked at where they lead, by the call that opens what is asked for. Blocks.
///
/// `path` is the directory's, relative to the root and decoded; empty for the root.
std::vector<listed> look_at(int root_fd, int directory_fd, std::string_view path,
                            const std::vector<ringlet::fs::directory_entry>& entries);

/// A page that shows them, names safe in text and in links.
std::string listing_page(std::string_view path, const std::vector<listed>& entries);

}  // namespace serve
