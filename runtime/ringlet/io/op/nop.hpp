// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <string_view>

namespace ringlet::io {

/// Does nothing, through the kernel and back: whatever others wait for and has come is seen before this job goes on, while
/// yield() lets those go on that are ready already. For who is busy for long at a time, for tests, and for measuring.
///
/// Result:    nothing.
/// Errors:    `cancelled`.
/// Lifetime:  borrows nothing.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_NOP, Linux 5.1; io_uring_prep_nop(3).
class [[nodiscard("nothing is submitted until this is awaited")]] nop_op final : public operation<nop_op, void> {
public:
    nop_op() noexcept {}

    static constexpr std::string_view name = "nop";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_nop(&sqe); }
};

}  // namespace ringlet::io
