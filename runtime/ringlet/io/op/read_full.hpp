// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ringlet::io {

/// Reads until the buffer is full or the file ends, in as many requests as it takes.
///
/// Result:    bytes read: less than buffer.size() only at the end of the file.
/// Errors:    std::system_error as pread(2); `cancelled`. What had been read by then is in the buffer, but not counted:
///            from a descriptor's own position (offset -1) such bytes are lost.
/// Lifetime:  borrows descriptor and `buffer` until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_READ, Linux 5.6; io_uring_prep_read(3), pread(2). Offset -1: the descriptor's own position.
class [[nodiscard("nothing is submitted until this is awaited")]] read_full_op final
    : public repeated_operation<read_full_op, std::size_t> {
public:
    read_full_op(fd_ref file, std::span<std::byte> buffer, std::int64_t offset = -1) noexcept
        : fd_{file}, buffer_{buffer}, offset_{offset} {}

    static constexpr std::string_view name = "read";
    void prepare(io_uring_sqe& sqe) noexcept {
        const std::span<std::byte> rest = buffer_.subspan(done_);
        const auto bytes = detail::request_bytes(rest.size());
        io_uring_prep_read(&sqe, fd_.get(), rest.data(), bytes, static_cast<std::uint64_t>(offset_));
    }
    after_cqe next(std::int32_t res, std::uint32_t) noexcept {
        if (res <= 0) return after_cqe::done;
        done_ += static_cast<std::size_t>(res);
        if (offset_ >= 0) offset_ += res;
        return done_ == buffer_.size() ? after_cqe::done : after_cqe::again;
    }
    std::size_t finish(std::int32_t, std::uint32_t) const noexcept { return done_; }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    std::span<std::byte> buffer_;
    std::int64_t offset_;
    std::size_t done_ = 0;
};

}  // namespace ringlet::io
