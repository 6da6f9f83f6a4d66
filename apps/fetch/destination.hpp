// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>

#include <string>
#include <unordered_map>
#include <unordered_set>

#include <sys/types.h>

namespace fetch {

/// The directory that files are written to, and the names in it that this run has taken.
class destination {
public:
    /// Opens the directory; makes it, and those above it, where they are missing. Throws failure.
    explicit destination(const std::string& directory);

    /// The first of "base", "base.1", "base.2" that no item of this run has and no file. Asked again for the same base,
    /// it gives the next one. Throws failure when there are too many.
    [[nodiscard]] std::string claim(const std::string& base);

    [[nodiscard]] ringlet::io::fd_ref directory() const noexcept { return fd_; }
    /// The path to show to people.
    [[nodiscard]] std::string path_of(const std::string& name) const;
    /// What a new file may be read and written by, as for any program of this user.
    [[nodiscard]] mode_t file_mode() const noexcept { return file_mode_; }

private:
    [[nodiscard]] bool exists(const std::string& name) const;

    std::string path_;
    ringlet::io::owned_fd fd_;
    mode_t file_mode_;
    std::unordered_set<std::string> claimed_;
    std::unordered_map<std::string, unsigned> next_number_;
};

}  // namespace fetch
