// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <string_view>

namespace ringlet::io {

/// Closes a descriptor and reports what close(2) reports, such as a late write error. The descriptor is given up in
/// any case but a cancellation.
///
/// Result:    nothing.
/// Errors:    std::system_error as close(2); `cancelled`, and then the descriptor is still open.
/// Lifetime:  no other operation on the descriptor may be in flight: one that is would keep the file open.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_CLOSE, Linux 5.6; io_uring_prep_close(3), close(2).
class [[nodiscard("nothing is submitted until this is awaited")]] close_op final : public operation<close_op, void> {
public:
    explicit close_op(fd_ref fd) noexcept : fd_{fd} {}

    static constexpr std::string_view name = "close";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_close(&sqe, fd_.get()); }

private:
    fd_ref fd_;
};

}  // namespace ringlet::io
