// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace ringlet::io {

/// Receives a message with its sender's address and control data.
///
/// Result:    bytes received. `message.msg_flags` holds MSG_TRUNC when the datagram was longer; msg_namelen and
///            msg_controllen what was filled.
/// Errors:    std::system_error as recvmsg(2); `cancelled`.
/// Lifetime:  borrows socket, `message` and all that it points to until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_RECVMSG, Linux 5.3; io_uring_prep_recvmsg(3), recvmsg(2).
class [[nodiscard("nothing is submitted until this is awaited")]] recvmsg_op final
    : public operation<recvmsg_op, std::size_t> {
public:
    recvmsg_op(fd_ref socket, msghdr& message, unsigned flags = 0) noexcept
        : fd_{socket}, flags_{flags}, message_{&message} {}

    static constexpr std::string_view name = "recvmsg";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_recvmsg(&sqe, fd_.get(), message_, flags_); }
    std::size_t finish(std::int32_t res) noexcept { return static_cast<std::size_t>(res); }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    unsigned flags_;
    msghdr* message_;
};

}  // namespace ringlet::io
