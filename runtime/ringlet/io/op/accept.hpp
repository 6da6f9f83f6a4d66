// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace ringlet::io {

/// Accepts one connection.
///
/// Result:    the connected socket, close-on-exec, blocking. One that arrives during a cancellation is delivered.
/// Errors:    std::system_error as accept4(2), EMFILE among them; `cancelled`.
/// Lifetime:  borrows the listening socket until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_ACCEPT, Linux 5.5; io_uring_prep_accept(3).
class [[nodiscard("nothing is submitted until this is awaited")]] accept_op final
    : public operation<accept_op, owned_fd> {
public:
    explicit accept_op(fd_ref listener) noexcept : fd_{listener} {}

    static constexpr std::string_view name = "accept";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_accept(&sqe, fd_.get(), nullptr, nullptr, SOCK_CLOEXEC); }
    owned_fd finish(std::int32_t res) noexcept { return owned_fd{res}; }

private:
    fd_ref fd_;
};

}  // namespace ringlet::io
