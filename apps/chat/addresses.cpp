// SPDX-License-Identifier: MIT
#include "chat/addresses.hpp"

#include "common/port_in_use.hpp"
#include <ringlet/io/system_calls.hpp>

#include <algorithm>
#include <array>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

namespace chat {

namespace net = ringlet::net;
namespace sys = ringlet::io::sys;

net::endpoint without_mapping(const net::endpoint& address) noexcept {
    if (!address.is_v6()) return address;
    sockaddr_in6 v6;
    std::memcpy(&v6, &address.address(), sizeof v6);
    if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return address;
    std::array<std::uint8_t, 4> v4;
    std::copy_n(v6.sin6_addr.s6_addr + 12, v4.size(), v4.begin());
    return net::endpoint::v4(v4, address.port());
}

net::endpoint as_taken_by(const net::endpoint& local, const net::endpoint& address) noexcept {
    if (!local.is_v6() || !address.is_v4()) return address;
    sockaddr_in v4;
    std::memcpy(&v4, &address.address(), sizeof v4);
    std::array<std::uint8_t, 16> v6{};
    v6[10] = v6[11] = 0xff;
    std::memcpy(v6.data() + 12, &v4.sin_addr, sizeof v4.sin_addr);
    return net::endpoint::v6(v6, address.port());
}

net::udp_socket open_socket(const options& how, const net::endpoint& peer) {
    const std::uint16_t port = how.port.value_or(how.host.empty() ? port_default : 0);
    const auto bind_to = [](const net::endpoint& address) {
        return apps::bind_or_explain("UDP", address,
                                     [](const net::endpoint& local) { return net::udp_socket::bind(local); });
    };
    const auto open = [&] {
        if (how.bind) {
            net::endpoint address = *how.bind;
            address.set_port(port);
            return bind_to(address);
        }
        if (peer.is_v4()) return bind_to(net::endpoint::any_v4(port));
        try {
            return bind_to(net::endpoint::any_v6(port));
        } catch (const std::system_error& error) {
            if (peer.is_v6() || error.code() != std::errc::address_family_not_supported) throw;
        }
        return bind_to(net::endpoint::any_v4(port));
    };
    net::udp_socket socket = open();
    const int room_bytes = 4 << 20;
    // Beyond the system's limit where we may, else up to it.
    if (sys::setsockopt(socket.socket().get(), SOL_SOCKET, SO_RCVBUFFORCE, &room_bytes, sizeof room_bytes) != 0)
        sys::setsockopt(socket.socket().get(), SOL_SOCKET, SO_RCVBUF, &room_bytes, sizeof room_bytes);
    return socket;
}

}  // namespace chat
