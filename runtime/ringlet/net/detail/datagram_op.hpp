// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/op/recvmsg.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/net/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <sys/uio.h>

namespace ringlet::net {

/// What udp_socket::recv_from brings.
struct datagram {
    datagram(std::size_t bytes, std::size_t full, const endpoint& sender) noexcept
        : size{bytes}, full_size{full}, from{sender} {}
    std::size_t size;       ///< bytes in the buffer
    std::size_t full_size;  ///< bytes that were sent; more than `size` when the buffer was too short
    endpoint from;
    bool truncated() const noexcept { return full_size > size; }
};

namespace detail {

/// Receives a datagram with its sender. See udp_socket::recv_from.
class [[nodiscard("nothing is submitted until this is awaited")]] recv_from_op final
    : public io::operation<recv_from_op, datagram> {
public:
    recv_from_op(io::fd_ref socket, std::span<std::byte> buffer) noexcept
        : fd_{socket}, part_{buffer.data(), buffer.size()} {}

    static constexpr std::string_view name = "recv_from";
    void prepare(io_uring_sqe& sqe) noexcept {
        message_.msg_name = &from_.buffer();
        message_.msg_namelen = endpoint::buffer_bytes;
        message_.msg_iov = &part_;
        message_.msg_iovlen = 1;
        io::recvmsg_op{fd_, message_, MSG_TRUNC}.prepare(sqe);  // MSG_TRUNC: the result is the full size
    }
    datagram finish(std::int32_t res) noexcept {
        const auto full = static_cast<std::size_t>(res);
        return datagram{full < part_.iov_len ? full : part_.iov_len, full, from_};
    }
    std::string subject() const { return "on " + local_endpoint_of(fd_.get()).to_string(); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    io::fd_ref fd_;
    endpoint from_;
    iovec part_;
    msghdr message_{};
};

/// Sends a datagram to an address. See udp_socket::send_to.
class [[nodiscard("nothing is submitted until this is awaited")]] send_to_op final
    : public io::operation<send_to_op, std::size_t> {
public:
    send_to_op(io::fd_ref socket, std::span<const std::byte> bytes, const endpoint& to) noexcept
        : fd_{socket}, to_{to}, part_{const_cast<std::byte*>(bytes.data()), bytes.size()} {}

    static constexpr std::string_view name = "send_to";
    void prepare(io_uring_sqe& sqe) noexcept {
        message_.msg_name = &to_.buffer();
        message_.msg_namelen = to_.length();
        message_.msg_iov = &part_;
        message_.msg_iovlen = 1;
        io::sendmsg_op{fd_, message_}.prepare(sqe);
    }
    std::size_t finish(std::int32_t res) noexcept { return static_cast<std::size_t>(res); }
    std::string subject() const { return to_.to_string(); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    io::fd_ref fd_;
    endpoint to_;
    iovec part_;
    msghdr message_{};
};

}  // namespace detail
}  // namespace ringlet::net
