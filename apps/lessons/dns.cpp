// SPDX-License-Identifier: MIT
// Names: how "localhost" becomes an address, and what becomes of a name that nobody has.
//
// People remember names, packets need addresses. The resolver looks into /etc/hosts first, a list
// on this machine, and then asks a DNS server, whose address stands in /etc/resolv.conf. Python:
// socket.getaddrinfo(host, port).
//
// The answer takes time, so it is awaited, and it can be a list: a name may have several addresses,
// of IPv4 and of IPv6. Names that end in .invalid exist nowhere, by agreement (RFC 6761), so that
// one can see the error in any place.
//
// To wait for something is written co_await in this library, and a function that does so returns a
// task. Read "co_await f(x)" as a call of f that may take its time; what the program can do
// meanwhile is the matter of lesson spawn. run(), in main, runs such a function to its end.

#include <ringlet/net/resolver.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/core.h>

#include <exception>
#include <string>

namespace net = ringlet::net;

ringlet::task<> look_up(std::string name) {
    net::resolve_options only_ipv4;
    only_ipv4.wanted = net::resolve_options::families::ipv4;
    try {
        const auto found = co_await net::resolve(name, 80, only_ipv4);
        fmt::print("{} is {}\n", name, found.front().address_text());
    } catch (const std::exception& error) {
        fmt::print("{}\n", error.what());
    }
}

ringlet::task<> look_up_all() {
    co_await look_up("localhost");      // from /etc/hosts
    co_await look_up("192.168.1.7");    // is an address already; nobody is asked
    co_await look_up("192.168.1.256");  // looks like an address, and is none: a byte ends at 255
    co_await look_up("nobody.invalid");
}

int main() { ringlet::run(look_up_all()); }
