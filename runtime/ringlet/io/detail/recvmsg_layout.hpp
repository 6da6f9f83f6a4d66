// SPDX-License-Identifier: MIT
#pragma once

#include <liburing.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <sys/socket.h>
#include <sys/uio.h>

namespace ringlet::io::detail {

/// Receives a message into a provided buffer as the kernel's multishot recvmsg lays it out: io_uring_recvmsg_out, then as
/// many bytes for the name and for control data as `asked` says, then the message. `receive` takes the msghdr and gives
/// what recvmsg(2) with MSG_TRUNC gives, or -errno.
/// Result: as in the CQE. An empty message is more than 0, too, and yet the last of its request.
template <class F>
std::int64_t receive_laid_out(std::span<std::byte> buffer, const msghdr& asked, F&& receive) {
    const std::size_t name_at = sizeof(io_uring_recvmsg_out);
    const std::size_t control_at = name_at + asked.msg_namelen;
    const std::size_t bytes_at = control_at + asked.msg_controllen;
    if (buffer.size() < bytes_at) return -EFAULT;
    iovec part{buffer.data() + bytes_at, buffer.size() - bytes_at};
    msghdr message{};
    message.msg_name = asked.msg_namelen != 0 ? buffer.data() + name_at : nullptr;
    message.msg_namelen = asked.msg_namelen;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = asked.msg_controllen != 0 ? buffer.data() + control_at : nullptr;
    message.msg_controllen = asked.msg_controllen;
    const std::int64_t n = receive(message);
    if (n < 0) return n;
    io_uring_recvmsg_out told{};
    told.namelen = message.msg_namelen;
    told.controllen = static_cast<std::uint32_t>(message.msg_controllen);
    told.payloadlen = static_cast<std::uint32_t>(n);
    told.flags = static_cast<std::uint32_t>(message.msg_flags);
    std::memcpy(buffer.data(), &told, sizeof told);
    return static_cast<std::int64_t>(bytes_at + std::min(static_cast<std::size_t>(n), part.iov_len));
}

/// Whether the request goes on after this result of it.
inline bool goes_on_after(std::int64_t res, const msghdr& asked) noexcept {
    return res > static_cast<std::int64_t>(sizeof(io_uring_recvmsg_out) + asked.msg_namelen + asked.msg_controllen);
}

}  // namespace ringlet::io::detail
