// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ringlet::io {

/// Makes a file's data durable; with IORING_FSYNC_DATASYNC only what is needed to read it back.
///
/// Result:    nothing.
/// Errors:    std::system_error as fsync(2); `cancelled`.
/// Lifetime:  borrows the descriptor until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_FSYNC, Linux 5.1; io_uring_prep_fsync(3), fsync(2).
class [[nodiscard("nothing is submitted until this is awaited")]] fsync_op final : public operation<fsync_op, void> {
public:
    fsync_op(fd_ref file, unsigned flags = 0) noexcept : fd_{file}, flags_{flags} {}

    static constexpr std::string_view name = "fsync";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_fsync(&sqe, fd_.get(), flags_); }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    unsigned flags_;
};

}  // namespace ringlet::io
