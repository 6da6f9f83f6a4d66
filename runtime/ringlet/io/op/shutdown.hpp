// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ringlet::io {

/// Shuts down one or both directions of a connection.
///
/// Result:    nothing. A pending receive on it ends with 0 when SHUT_RD is asked for.
/// Errors:    std::system_error as shutdown(2); `cancelled`.
/// Lifetime:  borrows the socket until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_SHUTDOWN, Linux 5.11; io_uring_prep_shutdown(3), shutdown(2).
class [[nodiscard("nothing is submitted until this is awaited")]] shutdown_op final
    : public operation<shutdown_op, void> {
public:
    shutdown_op(fd_ref socket, int how) noexcept : fd_{socket}, how_{how} {}

    static constexpr std::string_view name = "shutdown";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_shutdown(&sqe, fd_.get(), how_); }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    int how_;
};

}  // namespace ringlet::io
