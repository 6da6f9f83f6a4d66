// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ringlet::io {

/// Removes a file's name; with AT_REMOVEDIR in `flags` an empty directory's.
///
/// Result:    nothing.
/// Errors:    std::system_error as unlinkat(2); `cancelled`.
/// Lifetime:  borrows the directory and `path` until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_UNLINKAT, Linux 5.11; io_uring_prep_unlinkat(3), unlinkat(2).
class [[nodiscard("nothing is submitted until this is awaited")]] unlinkat_op final
    : public operation<unlinkat_op, void> {
public:
    unlinkat_op(fd_ref directory, const char* path, int flags = 0) noexcept
        : fd_{directory}, flags_{flags}, path_{path} {}

    static constexpr std::string_view name = "unlink";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_unlinkat(&sqe, fd_.get(), path_, flags_); }
    std::string subject() const { return path_; }

private:
    fd_ref fd_;
    int flags_;
    const char* path_;
};

}  // namespace ringlet::io
