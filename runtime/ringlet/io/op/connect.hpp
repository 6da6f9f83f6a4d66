// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <string_view>

#include <sys/socket.h>

namespace ringlet::io {

/// Connects a socket.
///
/// Result:    nothing.
/// Errors:    std::system_error as connect(2); `cancelled`.
/// Lifetime:  borrows the socket until the co_await ends; the address is read at submission.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_CONNECT, Linux 5.5; io_uring_prep_connect(3).
class [[nodiscard("nothing is submitted until this is awaited")]] connect_op final
    : public operation<connect_op, void> {
public:
    connect_op(fd_ref socket, const sockaddr& address, socklen_t length) noexcept
        : fd_{socket}, address_{&address}, length_{length} {}

    static constexpr std::string_view name = "connect";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_connect(&sqe, fd_.get(), address_, length_); }

private:
    fd_ref fd_;
    const sockaddr* address_;
    socklen_t length_;
};

}  // namespace ringlet::io
