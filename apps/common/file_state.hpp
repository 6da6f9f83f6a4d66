// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

#include <sys/stat.h>

namespace apps {

/// What the file system says of a file. While it says the same, the content is the same, as far as anybody can tell.
struct file_state {
    dev_t device = 0;
    ino_t inode = 0;
    std::uint64_t bytes = 0;
    std::chrono::sys_time<std::chrono::nanoseconds> modified;
    std::chrono::sys_time<std::chrono::nanoseconds> changed;

    static file_state of(const struct stat& info) noexcept;
    bool operator==(const file_state&) const = default;
};

}  // namespace apps
