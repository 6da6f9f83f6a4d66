// SPDX-License-Identifier: MIT
#include "echo/reply_batch.hpp"

#include <ringlet/core/combinators.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/io/system_calls.hpp>

#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>

namespace echo {
namespace {

template <class Info, class Change>
void change(cmsghdr& told, int level, int type, Change with) noexcept {
    if (told.cmsg_level != level || told.cmsg_type != type || told.cmsg_len < CMSG_LEN(sizeof(Info))) return;
    Info info;
    std::memcpy(&info, CMSG_DATA(&told), sizeof info);
    with(info);
    std::memcpy(CMSG_DATA(&told), &info, sizeof info);
}

// Makes what was told about the arrival fit for the departure: the address stays, the interface is the route's choice.
void turn_round(msghdr& message) noexcept {
    for (cmsghdr* told = CMSG_FIRSTHDR(&message); told; told = CMSG_NXTHDR(&message, told)) {
        change<in_pktinfo>(*told, IPPROTO_IP, IP_PKTINFO, [](in_pktinfo& info) { info.ipi_ifindex = 0; });
        change<in6_pktinfo>(*told, IPPROTO_IPV6, IPV6_PKTINFO, [](in6_pktinfo& info) {
            if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
        });
    }
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
    if (kept.control().empty()) return;
    message.msg_control = kept.control().data();
    message.msg_controllen = kept.control().size();
    turn_round(message);
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
