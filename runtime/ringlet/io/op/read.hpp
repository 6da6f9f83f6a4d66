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

/// Reads from a file, pipe or terminal.
///
/// Result:    bytes read, up to buffer.size(); 0 at the end.
/// Errors:    std::system_error as pread(2); `cancelled`. A read of a regular file that has begun cannot be cancelled.
/// Lifetime:  borrows descriptor and `buffer` until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_READ, Linux 5.6; io_uring_prep_read(3), pread(2). Offset -1: the descriptor's own position.
class [[nodiscard("nothing is submitted until this is awaited")]] read_op final
    : public operation<read_op, std::size_t> {
public:
    read_op(fd_ref file, std::span<std::byte> buffer, std::int64_t offset = -1) noexcept
        : fd_{file}, buffer_{buffer}, offset_{offset} {}

    static constexpr std::string_view name = "read";
    void prepare(io_uring_sqe& sqe) noexcept {
        io_uring_prep_read(&sqe, fd_.get(), buffer_.data(), detail::request_bytes(buffer_.size()),
                           static_cast<std::uint64_t>(offset_));
    }
    std::size_t finish(std::int32_t res) noexcept { return static_cast<std::size_t>(res); }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    std::span<std::byte> buffer_;
    std::int64_t offset_;
};

}  // namespace ringlet::io
