// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace ringlet::io {

/// Asks for a file's size, times and kind. (For a descriptor in hand plain fstat(2) is cheaper: this goes to a worker.)
///
/// Result:    nothing; `into` is filled.
/// Errors:    std::system_error as statx(2); `cancelled`.
/// Lifetime:  borrows the directory, `path` and `into` until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_STATX, Linux 5.6; io_uring_prep_statx(3), statx(2).
class [[nodiscard("nothing is submitted until this is awaited")]] statx_op final : public operation<statx_op, void> {
public:
    statx_op(fd_ref directory, const char* path, int flags, unsigned mask, struct statx& into) noexcept
        : fd_{directory}, flags_{flags}, path_{path}, mask_{mask}, into_{&into} {}

    static constexpr std::string_view name = "statx";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_statx(&sqe, fd_.get(), path_, flags_, mask_, into_); }
    std::string subject() const { return path_; }

private:
    fd_ref fd_;
    int flags_;
    const char* path_;
    unsigned mask_;
    struct statx* into_;
};

}  // namespace ringlet::io
