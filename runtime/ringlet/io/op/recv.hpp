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

/// Receives bytes from a connected socket.
///
/// Result:    bytes received, 1..buffer.size(); 0 when the peer closed its sending side. On a datagram socket the
///            length of the datagram, 0 for an empty one.
/// Errors:    std::system_error as recv(2); `cancelled`, and then nothing was received.
/// Lifetime:  borrows socket and `buffer` until the co_await ends. `buffer` is not empty.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_RECV, Linux 5.6; io_uring_prep_recv(3), recv(2).
class [[nodiscard("nothing is submitted until this is awaited")]] recv_op final
    : public operation<recv_op, std::size_t> {
public:
    recv_op(fd_ref socket, std::span<std::byte> buffer, int flags = 0) noexcept
        : fd_{socket}, flags_{flags}, buffer_{buffer} {}

    static constexpr std::string_view name = "recv";
    void prepare(io_uring_sqe& sqe) noexcept {
        io_uring_prep_recv(&sqe, fd_.get(), buffer_.data(), detail::request_bytes(buffer_.size()), flags_);
    }
    std::size_t finish(std::int32_t res) noexcept { return static_cast<std::size_t>(res); }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    fd_ref fd_;
    int flags_;
    std::span<std::byte> buffer_;
};

}  // namespace ringlet::io
