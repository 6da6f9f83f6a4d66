// SPDX-License-Identifier: MIT
#include "echo/reply_batch.hpp"

#include <ringlet/core/combinators.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/io/system_calls.hpp>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include <netinet/in.h>

namespace echo {
namespace {

// Makes what was told about the arrival fit for the departure: the address stays, the interface is the route's choice.
// Result: false when that says nothing about an address.
bool turn_round(std::span<std::byte> control) noexcept {
    if (control.empty()) return false;
    auto& told = *reinterpret_cast<cmsghdr*>(control.data());
    if (told.cmsg_level == IPPROTO_IP && told.cmsg_type == IP_PKTINFO) {
        in_pktinfo info;
        std::memcpy(&info, CMSG_DATA(&told), sizeof info);
        info.ipi_ifindex = 0;
        std::memcpy(CMSG_DATA(&told), &info, sizeof info);
        return true;
    }
    if (told.cmsg_level == IPPROTO_IPV6 && told.cmsg_type == IPV6_PKTINFO) {
        in6_pktinfo info;
        std::memcpy(&info, CMSG_DATA(&told), sizeof info);
        if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
        std::memcpy(CMSG_DATA(&told), &info, sizeof info);
        return true;
    }
    return false;
}

}  // namespace

void reply_batch::add(ringlet::net::datagram_lease datagram) noexcept {
    const unsigned at = count_++;
    datagrams_[at] = std::move(datagram);
    const ringlet::net::datagram_lease& kept = datagrams_[at];
    parts_[at] = {kept.bytes().data(), kept.size()};
    msghdr& message = messages_[at].msg_hdr;
    message = {};
    message.msg_name = kept.name().empty() ? nullptr : kept.name().data();
    message.msg_namelen = static_cast<socklen_t>(kept.name().size());
    message.msg_iov = &parts_[at];
    message.msg_iovlen = 1;
    if (turn_round(kept.control())) {
        message.msg_control = kept.control().data();
        message.msg_controllen = kept.control().size();
    }
}

bool reply_batch::has_to_wait(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK; }

int reply_batch::send_at_once() noexcept {
    return ringlet::io::sys::sendmmsg(socket_.get(), messages_.data() + done_, count_ - done_,
                                      MSG_DONTWAIT | MSG_NOSIGNAL);
}

ringlet::task<std::error_code> reply_batch::send_when_possible() {
    const auto sent =
        co_await ringlet::as_result(ringlet::io::sendmsg_op{socket_, std::as_const(messages_[done_].msg_hdr)});
    co_return sent.error();
}

void reply_batch::clear() noexcept {
    for (unsigned i = 0; i != count_; ++i) datagrams_[i].release();
    count_ = done_ = 0;
}

}  // namespace echo
