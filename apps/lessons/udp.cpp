// SPDX-License-Identifier: MIT
// UDP: send and receive single messages, without a connection.
//
// A UDP message (a datagram) is like a postcard: it has an address, it arrives whole or not at all,
// and nobody says which. There is no connection, so one socket can talk with anybody, and each
// message tells who has sent it.
//
// Python:  s = socket(AF_INET, SOCK_DGRAM); s.bind(("127.0.0.1", 0))
//          s.sendto(data, address); data, who = s.recvfrom(1024)
//
// Three things to see: two messages stay two messages; a buffer that is too small cuts a message
// off, and the rest of it is gone for good; and nobody minds when nobody is there to receive.

#include <ringlet/core/bytes.hpp>
#include <ringlet/net/udp_socket.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/core.h>

#include <array>
#include <cstddef>
#include <span>

namespace net = ringlet::net;

ringlet::task<> receive(net::udp_socket& socket, std::span<std::byte> buffer, net::endpoint expected) {
    const auto got = co_await socket.recv_from(buffer);  // waits until a message is there
    fmt::print("received \"{}\", {} of {} bytes; from the sender's port: {}\n",
               ringlet::as_text(buffer.first(got.size)), got.size, got.full_size, got.from == expected);
}

ringlet::task<> send_and_receive() {
    auto receiver = net::udp_socket::bind(net::endpoint::loopback_v4(0));  // any free port of 127.0.0.1
    auto sender = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    const net::endpoint to = receiver.local_endpoint();
    const net::endpoint from = sender.local_endpoint();

    co_await sender.send_to(ringlet::as_bytes("hello"), to);  // as_bytes: a text as the bytes that it is
    co_await sender.send_to(ringlet::as_bytes("world"), to);
    co_await sender.send_to(ringlet::as_bytes("a message that is too long"), to);

    std::array<std::byte, 1024> buffer;
    co_await receive(receiver, buffer, from);
    co_await receive(receiver, buffer, from);
    co_await receive(receiver, std::span{buffer}.first(9), from);

    const net::endpoint nobody = net::endpoint::loopback_v4(9);
    const std::size_t sent = co_await sender.send_to(ringlet::as_bytes("is anybody there?"), nobody);
    fmt::print("sent {} bytes to a port where nobody listens: no error\n", sent);
}

int main() { ringlet::run(send_and_receive()); }
