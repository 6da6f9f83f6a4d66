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

/// Sends a message, gathered from several buffers, to the address that it names.
///
/// Result:    bytes taken.
/// Errors:    std::system_error as sendmsg(2), EPIPE without a signal; `cancelled`.
/// Lifetime:  borrows socket, `message` and all that it points to until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_SENDMSG, Linux 5.3; io_uring_prep_sendmsg(3), sendmsg(2) with MSG_NOSIGNAL.
class [[nodiscard("nothing is submitted until this is awaited")]] sendmsg_op final
    : public operation<sendmsg_op, std::size_t> {
public:
    sendmsg_op(fd_ref socket, const msghdr& message, unsigned flags = 0) noexcept
        : fd_{socket}, flags_{flags}, message_{&message} {}

    static constexpr std::string_view name = "sendmsg";
    void prepare(io_uring_sqe& sqe) noexcept {
        io_uring_prep_sendmsg(&sqe, fd_.get(), message_, flags_ | MSG_NOSIGNAL);
    }
    std::size_t finish(std::int32_t res) noexcept { return static_cast<std::size_t>(res); }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    unsigned flags_;
    const msghdr* message_;
};

}  // namespace ringlet::io
