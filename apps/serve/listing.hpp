// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/fs/directory.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace serve {

/// Finds out where links lead, and what the file system did not tell, with the call that opens what is asked for below
/// `root_fd`; what it does not open becomes fs::kind::other. `path` as below. Blocks.
void look_behind_links(int root_fd, const std::string& path, std::vector<ringlet::fs::directory_entry>& entries);

/// A page that lists a directory: folders first, then by name; no dotfiles; names safe in text and in links.
/// `path` is the directory's, relative to the root and decoded; empty for the root.
std::string listing_page(std::string_view path, const std::vector<ringlet::fs::directory_entry>& entries);

}  // namespace serve
