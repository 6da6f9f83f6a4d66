// SPDX-License-Identifier: MIT
#include "file_state.hpp"

namespace apps {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::sys_time;

sys_time<nanoseconds> time_of(const timespec& t) noexcept {
    return sys_time<nanoseconds>{seconds{t.tv_sec} + nanoseconds{t.tv_nsec}};
}

}  // namespace

file_state file_state::of(const struct stat& info) noexcept {
    return {.device = info.st_dev,
            .inode = info.st_ino,
            .bytes = static_cast<std::uint64_t>(info.st_size),
            .modified = time_of(info.st_mtim),
            .changed = time_of(info.st_ctim)};
}

}  // namespace apps
