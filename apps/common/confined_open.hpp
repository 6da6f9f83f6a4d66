// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>

#include <linux/openat2.h>
#include <string>
#include <string_view>
#include <utility>

#include <sys/stat.h>

namespace apps {

/// A file descriptor that closes itself; -1 is none.
class unique_fd {
public:
    unique_fd() noexcept = default;
    explicit unique_fd(int fd) noexcept : fd_{fd} {}
    unique_fd(unique_fd&& other) noexcept : fd_{other.release()} {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~unique_fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    void reset(int fd = -1) noexcept;

private:
    int fd_ = -1;
};

/// The open_how for reading something below a directory descriptor: never above it (RESOLVE_BENEATH), not through
/// /proc's magic links, without blocking on a FIFO, close-on-exec. Links that stay inside are followed. For openat2(2)
/// and for the runtime's asynchronous operation alike.
[[nodiscard]] open_how confined_open_how() noexcept;

/// How often EAGAIN of openat2 (a rename or mount at the same moment) is tried again.
inline constexpr int confined_open_tries = 5;

/// Whether some segment of a relative path starts with a dot.
[[nodiscard]] bool has_hidden_segment(std::string_view relative_path) noexcept;

enum class open_outcome {
    file,  ///< a regular file
    directory,
    missing,    ///< nothing there that may be served: absent, hidden, outside, or special
    denied,     ///< there, but no permission; to the client the same as missing
    exhausted,  ///< out of descriptors or memory: try later (503)
    failed,     ///< the disk or the system failed (500)
};

struct opened {
    open_outcome outcome = open_outcome::missing;
    unique_fd fd;        ///< file and directory only
    struct stat info{};  ///< of the descriptor itself, file and directory only
    int error = 0;       ///< errno for the log; the client sees no difference between missing and denied
};

/// What to make of openat2's result, `fd` >= 0 or -errno: looks at the descriptor itself and keeps it only when it is a
/// regular file or a directory. For the synchronous open below and for the asynchronous one.
[[nodiscard]] opened judge_opened(int fd_or_error) noexcept;

/// Opens `relative_path` (from http::clean_path; empty: the directory itself) below `root_fd` for reading.
///
/// Blocks as openat2(2) does. Hidden segments are `missing` unless `allow_hidden`. Where the kernel or a seccomp filter
/// refuses openat2, every component is opened by itself and every link is refused.
[[nodiscard]] opened open_confined(int root_fd, const std::string& relative_path, bool allow_hidden = false) noexcept;

/// The same without blocking, hidden segments allowed: what is not in memory waits in the kernel's worker. Errors: `cancelled`.
/// Maps to: IORING_OP_OPENAT2, or openat2(2) and its like on a thread.
[[nodiscard]] ringlet::task<opened> open_confined_without_blocking(ringlet::io::fd_ref root, std::string relative_path);

}  // namespace apps
