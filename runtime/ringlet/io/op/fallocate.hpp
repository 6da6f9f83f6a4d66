// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ringlet::io {

/// Reserves disk space for a part of a file.
///
/// Result:    nothing.
/// Errors:    std::system_error as fallocate(2), ENOSPC and EOPNOTSUPP among them; `cancelled`.
/// Lifetime:  borrows the descriptor until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_FALLOCATE, Linux 5.6; io_uring_prep_fallocate(3), fallocate(2).
class [[nodiscard("nothing is submitted until this is awaited")]] fallocate_op final
    : public operation<fallocate_op, void> {
public:
    fallocate_op(fd_ref file, int mode, std::int64_t offset, std::int64_t length) noexcept
        : fd_{file}, mode_{mode}, offset_{offset}, length_{length} {}

    static constexpr std::string_view name = "fallocate";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_fallocate(&sqe, fd_.get(), mode_, offset_, length_); }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    int mode_;
    std::int64_t offset_;
    std::int64_t length_;
};

}  // namespace ringlet::io
