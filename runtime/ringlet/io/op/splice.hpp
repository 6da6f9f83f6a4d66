// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringlet::io {

/// Moves bytes between a pipe and another descriptor inside the kernel. Asks again where a signal broke the call off before
/// it had moved any, as when the process is stopped and continued (Linux 6.18 gives ERESTARTSYS then).
///
/// Result:    bytes moved; 0 at the end of the source.
/// Errors:    std::system_error as splice(2); `cancelled`.
/// Lifetime:  borrows both descriptors until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_SPLICE, Linux 5.7; io_uring_prep_splice(3), splice(2). Offset -1: a pipe, or the own position.
class [[nodiscard("nothing is submitted until this is awaited")]] splice_op final
    : public repeated_operation<splice_op, std::size_t> {
public:
    splice_op(fd_ref from, std::int64_t from_offset, fd_ref to, std::int64_t to_offset, unsigned length,
              unsigned flags = 0) noexcept
        : from_{from}, to_{to}, from_offset_{from_offset}, to_offset_{to_offset}, length_{length}, flags_{flags} {}

    static constexpr std::string_view name = "splice";
    void prepare(io_uring_sqe& sqe) noexcept {
        io_uring_prep_splice(&sqe, from_.get(), from_offset_, to_.get(), to_offset_, length_, flags_);
    }
    after_cqe next(std::int32_t res, std::uint32_t) noexcept {
        return detail::was_interrupted(res) ? after_cqe::again : after_cqe::done;
    }
    std::size_t finish(std::int32_t res, std::uint32_t) noexcept { return static_cast<std::size_t>(res); }

private:
    fd_ref from_;
    fd_ref to_;
    std::int64_t from_offset_;
    std::int64_t to_offset_;
    unsigned length_;
    unsigned flags_;
};

}  // namespace ringlet::io
