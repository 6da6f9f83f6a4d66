// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/net/endpoint.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace echo {

/// Room for one datagram with its sender and the address that it was sent to, and the message that sends it back from
/// there: a socket bound to every address would else answer from whichever address the route prefers.
class datagram_buffer {
public:
    datagram_buffer() : bytes_(bytes_max) {}
    datagram_buffer(const datagram_buffer&) = delete;
    datagram_buffer& operator=(const datagram_buffer&) = delete;

    /// Has the kernel tell the address that each datagram was sent to.
    static void ask_for_addresses(ringlet::io::fd_ref socket, const ringlet::net::endpoint& bound);

    /// The message to receive into; everything about the last datagram is forgotten.
    msghdr& empty() noexcept;
    /// The message that returns the `size` bytes received.
    const msghdr& answer(std::size_t size) noexcept;

    const ringlet::net::endpoint& sender() const noexcept { return sender_; }

private:
    static constexpr std::size_t bytes_max = 65536;
    static constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo));

    std::vector<std::byte> bytes_;
    ringlet::net::endpoint sender_;
    iovec part_{};
    msghdr message_{};
    alignas(cmsghdr) std::array<std::byte, control_bytes> control_{};
};

}  // namespace echo
