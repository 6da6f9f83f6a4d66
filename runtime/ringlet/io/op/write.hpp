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

/// Writes to a file, pipe or terminal.
///
/// Result:    bytes written, which may be fewer than buffer.size().
/// Errors:    std::system_error as pwrite(2); `cancelled`. A write to a regular file that has begun goes on to its end.
/// Lifetime:  borrows descriptor and `buffer` until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_WRITE, Linux 5.6; io_uring_prep_write(3), pwrite(2). Offset -1: the descriptor's own position.
class [[nodiscard("nothing is submitted until this is awaited")]] write_op final
    : public operation<write_op, std::size_t> {
public:
    write_op(fd_ref file, std::span<const std::byte> buffer, std::int64_t offset = -1) noexcept
        : fd_{file}, buffer_{buffer}, offset_{offset} {}

    static constexpr std::string_view name = "write";
    void prepare(io_uring_sqe& sqe) noexcept {
        io_uring_prep_write(&sqe, fd_.get(), buffer_.data(), detail::request_bytes(buffer_.size()),
                            static_cast<std::uint64_t>(offset_));
    }
    std::size_t finish(std::int32_t res) noexcept { return static_cast<std::size_t>(res); }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    std::span<const std::byte> buffer_;
    std::int64_t offset_;
};

}  // namespace ringlet::io
