// SPDX-License-Identifier: MIT
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/multishot_udp_socket.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

#include <netinet/in.h>

namespace ringlet::net {
namespace {

template <class F>
void for_each_control(std::span<std::byte> control, F&& with) {
    msghdr walked{};
    walked.msg_control = control.data();
    walked.msg_controllen = control.size();
    for (cmsghdr* c = CMSG_FIRSTHDR(&walked); c; c = CMSG_NXTHDR(&walked, c)) with(*c);
}

template <class Info>
bool read(const cmsghdr& from, int level, int type, Info& into) noexcept {
    if (from.cmsg_level != level || from.cmsg_type != type || from.cmsg_len < CMSG_LEN(sizeof into)) return false;
    std::memcpy(&into, CMSG_DATA(const_cast<cmsghdr*>(&from)), sizeof into);
    return true;
}

}  // namespace

std::optional<endpoint> datagram_lease::to() const noexcept {
    std::optional<endpoint> told;
    for_each_control(control(), [&](const cmsghdr& one) {
        in_pktinfo v4;
        in6_pktinfo v6;
        if (read(one, IPPROTO_IP, IP_PKTINFO, v4) && !told) {
            std::array<std::uint8_t, 4> address;
            std::memcpy(address.data(), &v4.ipi_addr, address.size());
            told = endpoint::v4(address, 0);
        } else if (read(one, IPPROTO_IPV6, IPV6_PKTINFO, v6)) {  // in the socket's own family
            std::array<std::uint8_t, 16> address;
            std::memcpy(address.data(), &v6.ipi6_addr, address.size());
            const bool scoped = IN6_IS_ADDR_LINKLOCAL(&v6.ipi6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&v6.ipi6_addr);
            told = endpoint::v6(address, 0, scoped ? static_cast<std::uint32_t>(v6.ipi6_ifindex) : 0);
        }
    });
    return told;
}

bool datagram_lease::is_to_one() const noexcept {
    bool one_only = true;
    for_each_control(control(), [&](const cmsghdr& one) {
        in_pktinfo v4;
        in6_pktinfo v6;
        if (read(one, IPPROTO_IP, IP_PKTINFO, v4))  // the other address in it is always one of this machine alone
            one_only = one_only && v4.ipi_addr.s_addr == v4.ipi_spec_dst.s_addr;
        else if (read(one, IPPROTO_IPV6, IPV6_PKTINFO, v6))
            one_only = one_only && !IN6_IS_ADDR_MULTICAST(&v6.ipi6_addr);
    });
    return one_only;
}

void multishot_udp_socket::ask_for_destinations() {
    const int on = 1;
    const auto ask = [&](int level, int option) {
        if (io::sys::setsockopt(socket().get(), level, option, &on, sizeof on) == 0) return;
        throw std::system_error{errno, std::generic_category(), "ask for the destinations of datagrams"};
    };
    // IPv4 comes to a socket of IPv6, too, and of that only IPv4's own option tells what is a broadcast.
    if (local_endpoint().is_v6()) ask(IPPROTO_IPV6, IPV6_RECVPKTINFO);
    ask(IPPROTO_IP, IP_PKTINFO);
}

}  // namespace ringlet::net
