// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ringlet::io {

/// Waits until a descriptor is ready.
///
/// Result:    the events that are, POLLERR and POLLHUP among them.
/// Errors:    std::system_error as poll(2); `cancelled`. On a terminal the kernel may give EINVAL: os::readable copes.
/// Lifetime:  borrows the descriptor until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_POLL_ADD, Linux 5.1; io_uring_prep_poll_add(3), poll(2).
class [[nodiscard("nothing is submitted until this is awaited")]] poll_op final : public operation<poll_op, unsigned> {
public:
    poll_op(fd_ref fd, unsigned events) noexcept : fd_{fd}, events_{events} {}

    static constexpr std::string_view name = "poll";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_poll_add(&sqe, fd_.get(), events_); }
    unsigned finish(std::int32_t res) noexcept { return static_cast<unsigned>(res); }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    unsigned events_;
};

}  // namespace ringlet::io
