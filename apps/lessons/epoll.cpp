// SPDX-License-Identifier: MIT
// epoll by hand: one thread, many connections, and the kernel says where something is to do.
//
// The first idea for many clients in one thread is to make all sockets non-blocking and to ask each
// in turn, "anything there?", for ever. That works, and burns a processor core while nobody says
// anything. epoll turns it round: the program tells the kernel once which sockets it cares about;
// epoll_wait() sleeps until one of them has something, and gives a list of just those. A thousand
// silent connections cost nothing.
//
// Python: e = select.epoll(); e.register(fd, select.EPOLLIN); for fd, event in e.poll(): ...
//
// This loop is what every event loop has inside, gevent's and asyncio's, too. What coroutines add:
// the code for a client, in the middle of this loop, must never wait, so it must note how far it
// has come with that client; a coroutine just waits, and its local variables are the note.
//
// The clients are part of this program: each sends five bytes and waits for them to come back.

#include <ringlet/io/fd.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/endpoint.hpp>

#include <fmt/core.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

namespace sys = ringlet::io::sys;  // sys::socket: see "man 2 socket", and so on
using ringlet::io::owned_fd;       // the number of an open file or socket ("descriptor"); closes it in the end
using ringlet::net::endpoint;

int must(ssize_t result, const char* what) {
    if (result < 0) throw std::system_error{errno, std::generic_category(), what};
    return static_cast<int>(result);
}

void watch(const owned_fd& epoll, int fd) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;  // tell me when there is something to read
    wanted.data.fd = fd;      // and give me this number back then
    must(sys::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &wanted), "epoll_ctl");
}

// Three clients, all connected at the same time, in a thread of their own.
void talk(const endpoint& server) {
    std::array<owned_fd, 3> clients;
    for (owned_fd& client : clients) {
        client = owned_fd{must(sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
        must(sys::connect(client.get(), &server.address(), server.length()), "connect");
    }
    for (owned_fd& client : clients) {
        must(sys::send(client.get(), "hello", 5, 0), "send");
        std::array<char, 5> answer;
        must(sys::recv(client.get(), answer.data(), answer.size(), MSG_WAITALL), "recv");  // all five bytes
    }
}  // and here they close

int main() {
    const owned_fd listener{must(sys::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket")};
    const endpoint any_port = endpoint::loopback_v4(0);
    must(sys::bind(listener.get(), &any_port.address(), any_port.length()), "bind");
    must(sys::listen(listener.get(), 128), "listen");

    std::thread clients{talk, ringlet::net::local_endpoint_of(listener.get())};

    const owned_fd epoll{must(sys::epoll_create1(EPOLL_CLOEXEC), "epoll_create")};
    watch(epoll, listener.get());
    std::unordered_map<int, owned_fd> connections;
    int echoed = 0;
    int closed = 0;
    while (closed < 3) {
        std::array<epoll_event, 16> events;
        const int ready = must(::epoll_wait(epoll.get(), events.data(), events.size(), -1), "epoll_wait");
        for (int i = 0; i < ready; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener.get()) {  // somebody has connected
                owned_fd connection{must(::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC), "accept")};
                watch(epoll, connection.get());
                const int number = connection.get();
                connections.emplace(number, std::move(connection));
                continue;
            }
            std::array<char, 100> buffer;
            const auto size = sys::recv(fd, buffer.data(), buffer.size(), 0);
            if (size > 0) {
                must(sys::send(fd, buffer.data(), static_cast<std::size_t>(size), 0), "send");
                ++echoed;
            } else {
                connections.erase(fd);  // the client has closed; so do we, and epoll forgets the socket
                ++closed;
            }
        }
    }
    clients.join();
    fmt::print("{} messages came back, {} connections have ended, all in one thread\n", echoed, closed);
}
