// SPDX-License-Identifier: MIT
// Non-blocking sockets: one thread asks all clients in turn, "anything there?"
//
// A blocking recv() waits, and a server with one thread then has no time for the others: one client
// that connects and says nothing stops it. A non-blocking one never waits: it gives the bytes, or
// the error EAGAIN, "not now, try again". So the thread can go round, over the listening socket and
// over all clients, and serve whoever has something.
//
// Python: s.setblocking(False), and then BlockingIOError in place of waiting.
//
// It works, and it wastes a processor core on asking, all day long. Lesson epoll has the remedy.
// Here the first client is silent, and the second gets its answer all the same.

#include <ringlet/io/fd.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/endpoint.hpp>

#include <fmt/core.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace sys = ringlet::io::sys;  // sys::socket: see "man 2 socket", and so on
using ringlet::io::owned_fd;       // the number of an open file or socket ("descriptor"); closes it in the end
using ringlet::net::endpoint;

int must(ssize_t result, const char* what) {
    if (result < 0) throw std::system_error{errno, std::generic_category(), what};
    return static_cast<int>(result);
}

owned_fd connect_to(const endpoint& server) {
    owned_fd client{must(sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
    must(sys::connect(client.get(), &server.address(), server.length()), "connect");
    return client;
}

int main() {
    const owned_fd listener{must(sys::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket")};
    const endpoint any_port = endpoint::loopback_v4(0);
    must(sys::bind(listener.get(), &any_port.address(), any_port.length()), "bind");
    must(sys::listen(listener.get(), 128), "listen");
    std::array<char, 100> buffer;

    const int nobody = ::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    fmt::print("accept, when nobody has connected: {}, not now: {}\n", nobody, errno == EAGAIN);

    const endpoint address = ringlet::net::local_endpoint_of(listener.get());
    const owned_fd silent = connect_to(address);
    const owned_fd talking = connect_to(address);
    must(sys::send(talking.get(), "hello", 5, 0), "send");

    std::vector<owned_fd> connections;
    for (bool answered = false; !answered;) {  // round and round
        owned_fd connection{::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (connection) connections.push_back(std::move(connection));
        for (const owned_fd& each : connections) {
            const ssize_t size = sys::recv(each.get(), buffer.data(), buffer.size(), 0);
            if (size <= 0) continue;  // EAGAIN: the next one, please
            must(sys::send(each.get(), buffer.data(), static_cast<std::size_t>(size), 0), "send");
            answered = true;
        }
    }
    const int size = must(sys::recv(talking.get(), buffer.data(), buffer.size(), 0), "recv");
    fmt::print("{} clients are connected, one of them silent; the other got back \"{}\"\n", connections.size(),
               std::string_view{buffer.data(), static_cast<std::size_t>(size)});
}
