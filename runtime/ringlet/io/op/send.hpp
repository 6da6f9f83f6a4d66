// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace ringlet::io {

/// Sends bytes on a connected socket, as many as the kernel takes at once; `send_all_op` sends the rest too.
///
/// Result:    bytes taken, 0..buffer.size().
/// Errors:    std::system_error as send(2), EPIPE without a signal; `cancelled`, and then nothing was taken.
/// Lifetime:  borrows socket and `buffer` until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_SEND, Linux 5.6; io_uring_prep_send(3), send(2) with MSG_NOSIGNAL.
class [[nodiscard("nothing is submitted until this is awaited")]] send_op final
    : public operation<send_op, std::size_t> {
public:
    send_op(fd_ref socket, std::span<const std::byte> buffer, int flags = 0) noexcept
        : fd_{socket}, flags_{flags}, buffer_{buffer} {}

    static constexpr std::string_view name = "send";
    void prepare(io_uring_sqe& sqe) noexcept {
        io_uring_prep_send(&sqe, fd_.get(), buffer_.data(), detail::request_bytes(buffer_.size()),
                           flags_ | MSG_NOSIGNAL);
    }
    std::size_t finish(std::int32_t res) noexcept { return static_cast<std::size_t>(res); }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    int flags_;
    std::span<const std::byte> buffer_;
};

}  // namespace ringlet::io
