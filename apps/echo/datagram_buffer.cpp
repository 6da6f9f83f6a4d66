// SPDX-License-Identifier: MIT
#include "echo/datagram_buffer.hpp"

#include <ringlet/io/system_calls.hpp>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace echo {
namespace {

namespace sys = ringlet::io::sys;

// Makes what was told about the arrival fit for the departure: the address stays, the interface is the route's choice.
// Result: false when that address cannot be a sender.
bool turn_round(const cmsghdr& told) {
    auto* const data = CMSG_DATA(const_cast<cmsghdr*>(&told));
    if (told.cmsg_level == IPPROTO_IP && told.cmsg_type == IP_PKTINFO) {
        in_pktinfo info;
        std::memcpy(&info, data, sizeof info);
        info.ipi_ifindex = 0;  // ipi_spec_dst is a local address, even for a broadcast
        std::memcpy(data, &info, sizeof info);
        return true;
    }
    if (told.cmsg_level == IPPROTO_IPV6 && told.cmsg_type == IPV6_PKTINFO) {
        in6_pktinfo info;
        std::memcpy(&info, data, sizeof info);
        if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) return false;
        if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
        std::memcpy(data, &info, sizeof info);
        return true;
    }
    return false;
}

}  // namespace

void datagram_buffer::ask_for_addresses(ringlet::io::fd_ref socket, const ringlet::net::endpoint& bound) {
    const int on = 1;
    const int failed = bound.is_v6() ? sys::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on)
                                     : sys::setsockopt(socket.get(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    if (failed) throw std::system_error{errno, std::generic_category(), "ask for the addresses of datagrams"};
}

msghdr& datagram_buffer::empty() noexcept {
    sender_ = {};
    part_ = {bytes_.data(), bytes_.size()};
    message_ = {};
    message_.msg_name = &sender_.buffer();
    message_.msg_namelen = ringlet::net::endpoint::buffer_bytes;
    message_.msg_iov = &part_;
    message_.msg_iovlen = 1;
    message_.msg_control = control_.data();
    message_.msg_controllen = control_.size();
    return message_;
}

const msghdr& datagram_buffer::answer(std::size_t size) noexcept {
    part_.iov_len = size;
    message_.msg_flags = 0;
    const cmsghdr* const told = CMSG_FIRSTHDR(&message_);
    if (!told || !turn_round(*told)) {
        message_.msg_control = nullptr;
        message_.msg_controllen = 0;
    }
    return message_;
}

}  // namespace echo
