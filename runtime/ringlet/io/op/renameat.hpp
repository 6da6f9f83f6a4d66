// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ringlet::io {

/// Renames a file; with RENAME_NOREPLACE in `flags` never over another.
///
/// Result:    nothing.
/// Errors:    std::system_error as renameat2(2); `cancelled`.
/// Lifetime:  borrows the directories and paths until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_RENAMEAT, Linux 5.11; io_uring_prep_renameat(3), renameat2(2).
class [[nodiscard("nothing is submitted until this is awaited")]] renameat_op final
    : public operation<renameat_op, void> {
public:
    renameat_op(fd_ref from_directory, const char* from, fd_ref to_directory, const char* to,
                unsigned flags = 0) noexcept
        : from_directory_{from_directory}, to_directory_{to_directory}, from_{from}, to_{to}, flags_{flags} {}

    static constexpr std::string_view name = "rename";
    void prepare(io_uring_sqe& sqe) noexcept {
        io_uring_prep_renameat(&sqe, from_directory_.get(), from_, to_directory_.get(), to_, flags_);
    }
    std::string subject() const { return std::string{from_} + " to " + to_; }

private:
    fd_ref from_directory_;
    fd_ref to_directory_;
    const char* from_;
    const char* to_;
    unsigned flags_;
};

}  // namespace ringlet::io
