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

/// Sends a whole buffer on a connected socket, in as many requests as it takes.
///
/// Result:    nothing; every byte was taken by the kernel.
/// Errors:    std::system_error as send(2), EPIPE without a signal; `cancelled`. After an error or cancellation
///            some bytes may have been sent: the stream can only be closed.
/// Lifetime:  borrows socket and `buffer` until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_SEND, Linux 5.6; io_uring_prep_send(3) with MSG_WAITALL | MSG_NOSIGNAL.
class [[nodiscard("nothing is submitted until this is awaited")]] send_all_op final
    : public repeated_operation<send_all_op, void> {
public:
    send_all_op(fd_ref socket, std::span<const std::byte> buffer) noexcept : fd_{socket}, rest_{buffer} {}

    static constexpr std::string_view name = "send";
    void prepare(io_uring_sqe& sqe) noexcept {
        // An SQE counts in 32 bits.
        const std::size_t bytes = detail::request_bytes(rest_.size());
        io_uring_prep_send(&sqe, fd_.get(), rest_.data(), bytes, MSG_WAITALL | MSG_NOSIGNAL);
    }
    after_cqe next(std::int32_t res, std::uint32_t) noexcept {
        if (res < 0) return after_cqe::done;
        rest_ = rest_.subspan(static_cast<std::size_t>(res));
        return rest_.empty() ? after_cqe::done : after_cqe::again;
    }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    std::span<const std::byte> rest_;
};

}  // namespace ringlet::io
