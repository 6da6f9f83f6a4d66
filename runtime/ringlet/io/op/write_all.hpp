// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ringlet::io {

/// Writes a whole buffer to a file, pipe or terminal, in as many requests as it takes.
///
/// Result:    nothing; every byte was written.
/// Errors:    std::system_error as pwrite(2), ENOSPC among them; `cancelled`. Then some bytes may have been written.
/// Lifetime:  borrows descriptor and `buffer` until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_WRITE, Linux 5.6; io_uring_prep_write(3), pwrite(2). Offset -1: the descriptor's own position.
class [[nodiscard("nothing is submitted until this is awaited")]] write_all_op final
    : public repeated_operation<write_all_op, void> {
public:
    write_all_op(fd_ref file, std::span<const std::byte> buffer, std::int64_t offset = -1) noexcept
        : fd_{file}, rest_{buffer}, offset_{offset} {}

    static constexpr std::string_view name = "write";
    void prepare(io_uring_sqe& sqe) noexcept {
        io_uring_prep_write(&sqe, fd_.get(), rest_.data(), detail::request_bytes(rest_.size()),
                            static_cast<std::uint64_t>(offset_));
    }
    after_cqe next(std::int32_t& res, std::uint32_t) noexcept {
        if (res == 0 && !rest_.empty()) res = -EIO;  // no device should; asking again would never end
        if (res < 0) return after_cqe::done;
        rest_ = rest_.subspan(static_cast<std::size_t>(res));
        if (offset_ >= 0) offset_ += res;
        return rest_.empty() ? after_cqe::done : after_cqe::again;
    }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    std::span<const std::byte> rest_;
    std::int64_t offset_;
};

}  // namespace ringlet::io
