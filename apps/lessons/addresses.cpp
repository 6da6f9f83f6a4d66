// SPDX-License-Identifier: MIT
// Addresses and ports: what the numbers mean, and who is in the same network.
//
// An IPv4 address is one number of 32 bits. It is written as four numbers of 8 bits, 192.168.1.7,
// for us to read. Its first bits name a network, the rest a machine in it; the netmask has a 1 for
// each bit of the network's part. Two machines are in the same network when their addresses agree
// in those bits, and can then talk without a router.
//
// A port, 16 bits, says which program on the machine is meant. The ports below 1024 belong to
// well-known services (80 is HTTP, 53 is DNS) and, on Linux, only root may take them. Port 0 means
// "any that is free": the kernel chooses.

#include <ringlet/net/udp_socket.hpp>

#include <fmt/core.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>

#include <arpa/inet.h>

// "192.168.1.7" as the number that it is. It travels with its highest byte first ("network byte order"), while most
// processors keep the lowest byte first; ntohl ("network to host, long") turns it round where that is necessary.
std::uint32_t number(const std::string& text) {
    in_addr address{};
    if (::inet_pton(AF_INET, text.c_str(), &address) != 1) throw std::invalid_argument{"no IPv4 address: " + text};
    return ntohl(address.s_addr);
}

bool same_network(const std::string& a, const std::string& b, const std::string& mask) {
    return (number(a) & number(mask)) == (number(b) & number(mask));
}

// Ranges that every house and company may use inside; no router of the internet passes them on (RFC 1918).
const char* kind(const std::string& address) {
    if (same_network(address, "127.0.0.0", "255.0.0.0")) return "loopback: this machine itself";
    if (same_network(address, "10.0.0.0", "255.0.0.0")) return "private";
    if (same_network(address, "172.16.0.0", "255.240.0.0")) return "private";
    if (same_network(address, "192.168.0.0", "255.255.0.0")) return "private";
    return "public";
}

int main() {
    fmt::print("192.168.1.7 is the number {0}, in hexadecimal {0:08x}\n", number("192.168.1.7"));
    for (const char* address : {"127.0.0.1", "10.1.2.3", "172.31.255.1", "172.32.0.1", "192.168.1.7", "8.8.8.8"})
        fmt::print("{} is {}\n", address, kind(address));

    const char* const here = "192.168.1.7";
    for (const char* mask : {"255.255.255.0", "255.255.0.0"})
        for (const char* other : {"192.168.1.200", "192.168.2.7"})
            fmt::print("{} and {} with netmask {}: {}\n", here, other, mask,
                       same_network(here, other, mask) ? "same network" : "different networks, a router is needed");

    const auto socket = ringlet::net::udp_socket::bind(ringlet::net::endpoint::loopback_v4(0));
    const std::uint16_t port = socket.local_endpoint().port();
    fmt::print("asked for port 0, the kernel gave one that needs no root: {}\n", port >= 1024);
    try {
        const auto second = ringlet::net::udp_socket::bind(ringlet::net::endpoint::loopback_v4(port));
    } catch (const std::system_error& error) {
        fmt::print("a second program that wants the same one: {}\n", error.code().message());
    }
}
