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

// Calls `with` for each control message, until it says true.
template <class F>
void for_each_control(std::span<std::byte> control, F&& with) {
    msghdr walked{};
    walked.msg_control = control.data();
    walked.msg_controllen = control.size();
    for (cmsghdr* c = CMSG_FIRSTHDR(&walked); c; c = CMSG_NXTHDR(&walked, c))
        if (with(*c)) return;
}

template <class Info>
bool read(const cmsghdr& from, int level, int type, Info& into) noexcept {
    if (from.cmsg_level != level || from.cmsg_type != type || from.cmsg_len < CMSG_LEN(sizeof into)) return false;
    std::memcpy(&into, CMSG_DATA(const_cast<cmsghdr*>(&from)), sizeof into);
    return true;
}

bool is_multicast(const in6_addr& address) noexcept {
    if (!IN6_IS_ADDR_V4MAPPED(&address)) return IN6_IS_ADDR_MULTICAST(&address);
    return (address.s6_addr[12] & 0xf0) == 0xe0 ||
           (address.s6_addr[12] & address.s6_addr[13] & address.s6_addr[14] & address.s6_addr[15]) == 0xff;
}

}  // namespace

std::optional<endpoint> datagram_lease::to() const noexcept {
    std::optional<endpoint> told;
    for_each_control(control(), [&](const cmsghdr& one) {
        in_pktinfo v4;
        in6_pktinfo v6;
        if (read(one, IPPROTO_IP, IP_PKTINFO, v4)) {
            std::array<std::uint8_t, 4> address;
            std::memcpy(address.data(), &v4.ipi_addr, address.size());
            told = endpoint::v4(address, 0);
        } else if (read(one, IPPROTO_IPV6, IPV6_PKTINFO, v6)) {
            std::array<std::uint8_t, 16> address;
            std::memcpy(address.data(), &v6.ipi6_addr, address.size());
            const bool scoped = IN6_IS_ADDR_LINKLOCAL(&v6.ipi6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&v6.ipi6_addr);
            told = endpoint::v6(address, 0, scoped ? static_cast<std::uint32_t>(v6.ipi6_ifindex) : 0);
        }
        return told.has_value();
    });
    return told;
}

bool datagram_lease::is_to_one() const noexcept {
    bool one_only = true;
    for_each_control(control(), [&](const cmsghdr& one) {
        in_pktinfo v4;
        in6_pktinfo v6;
        if (read(one, IPPROTO_IP, IP_PKTINFO, v4))
            one_only = v4.ipi_addr.s_addr == v4.ipi_spec_dst.s_addr;
        else if (read(one, IPPROTO_IPV6, IPV6_PKTINFO, v6))
            one_only = !is_multicast(v6.ipi6_addr);
        else
            return false;
        return true;
    });
    return one_only;
}

void multishot_udp_socket::ask_for_destinations() {
    const int on = 1;
    const int failed = local_endpoint().is_v6()
                           ? io::sys::setsockopt(socket().get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on)
                           : io::sys::setsockopt(socket().get(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    if (failed != 0) throw std::system_error{errno, std::generic_category(), "ask for the destinations of datagrams"};
}

}  // namespace ringlet::net
