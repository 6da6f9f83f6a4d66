// SPDX-License-Identifier: MIT
#pragma once

#include <sys/resource.h>

namespace apps {

/// As many descriptors as the hard limit allows: the soft one, 1024 by custom, is for programs that use select(2).
inline void raise_file_limit() noexcept {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace apps
