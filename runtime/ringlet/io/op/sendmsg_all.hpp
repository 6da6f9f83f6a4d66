// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <sys/uio.h>

namespace ringlet::io {

/// Sends several buffers, one after the other, whole, in as few requests as it takes: a head and a body in one packet.
///
/// Result:    nothing; every byte was taken by the kernel.
/// Errors:    std::system_error as sendmsg(2), EPIPE without a signal; `cancelled`. After an error or cancellation
///            some bytes may have been sent: the stream can only be closed.
/// Lifetime:  borrows socket, `parts` and what they point to until the co_await ends; changes `parts` as it goes.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_SENDMSG, Linux 5.3; io_uring_prep_sendmsg(3) with MSG_WAITALL | MSG_NOSIGNAL.
class [[nodiscard("nothing is submitted until this is awaited")]] sendmsg_all_op final
    : public repeated_operation<sendmsg_all_op, void> {
public:
    sendmsg_all_op(fd_ref socket, std::span<iovec> parts) noexcept : fd_{socket}, rest_{parts} { skip(0); }

    static constexpr std::string_view name = "send";
    void prepare(io_uring_sqe& sqe) noexcept {
        message_ = {};
        message_.msg_iov = rest_.data();
        message_.msg_iovlen = std::min(rest_.size(), parts_max);
        io_uring_prep_sendmsg(&sqe, fd_.get(), &message_, MSG_WAITALL | MSG_NOSIGNAL);
    }
    after_cqe next(std::int32_t res, std::uint32_t) noexcept {
        if (res < 0) return after_cqe::done;
        skip(static_cast<std::size_t>(res));
        return rest_.empty() ? after_cqe::done : after_cqe::again;
    }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    static constexpr std::size_t parts_max = 1024;  // IOV_MAX

    void skip(std::size_t bytes) noexcept {
        while (!rest_.empty() && bytes >= rest_.front().iov_len) {
            bytes -= rest_.front().iov_len;
            rest_ = rest_.subspan(1);
        }
        if (bytes == 0) return;
        rest_.front().iov_base = static_cast<std::byte*>(rest_.front().iov_base) + bytes;
        rest_.front().iov_len -= bytes;
    }

    fd_ref fd_;
    std::span<iovec> rest_;
    msghdr message_{};
};

}  // namespace ringlet::io
