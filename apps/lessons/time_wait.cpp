// SPDX-License-Identifier: MIT
// TIME-WAIT: why a server that is started again may find its port in use, and the remedy.
//
// On the side that closes a TCP connection first, the kernel remembers it for a minute more, in the
// state TIME-WAIT: its last packet might have to be sent again, and late packets of the old
// connection must not be taken for a new one's. The program may be gone by then. When it was the
// server that closed first, this memory belongs to the server's port, and bind() refuses the port.
//
// SO_REUSEADDR, set before bind(), says "old connections do not matter to me". Every server sets
// it, at every start. It does not let two servers listen at one port at the same time.
//
// Python: s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1). ringlet's tcp_listener sets it always, so here
// the sockets are made by hand, with the calls of the kernel itself: sys::socket is the one that
// "man 2 socket" describes, and so on.

#include <ringlet/io/fd.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/endpoint.hpp>

#include <fmt/core.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

#include <sys/socket.h>

namespace sys = ringlet::io::sys;
using ringlet::io::owned_fd;  // the number of an open file or socket ("descriptor"); closes it in the end
using ringlet::net::endpoint;

owned_fd new_socket(bool reuse) {
    owned_fd socket{sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const int on = reuse ? 1 : 0;
    if (!socket || sys::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        throw std::system_error{errno, std::generic_category(), "socket"};
    return socket;
}

bool listens(const owned_fd& socket, const endpoint& address) {
    return sys::bind(socket.get(), &address.address(), address.length()) == 0 && sys::listen(socket.get(), 1) == 0;
}

// A server accepts one connection and closes it before the client does. Gives the address that it had.
endpoint serve_and_close_first() {
    const owned_fd server = new_socket(true);
    if (!listens(server, endpoint::loopback_v4(0))) throw std::system_error{errno, std::generic_category(), "listen"};
    const endpoint address = ringlet::net::local_endpoint_of(server.get());
    const owned_fd client = new_socket(false);
    if (sys::connect(client.get(), &address.address(), address.length()) != 0)
        throw std::system_error{errno, std::generic_category(), "connect"};
    owned_fd connection{::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    connection.reset();  // close(): the server is the first
    char byte = 0;
    while (sys::recv(client.get(), &byte, 1, 0) > 0) {
    }  // until the client has seen the end
    return address;
}  // and now the client closes, too, and the server's listening socket with it

void start_again(const endpoint& address, bool reuse) {
    const owned_fd server = new_socket(reuse);
    const bool worked = listens(server, address);
    fmt::print("{} SO_REUSEADDR: {}\n", reuse ? "with" : "without", worked ? "it listens again" : std::strerror(errno));
}

int main() {
    const endpoint address = serve_and_close_first();
    fmt::print("The server has closed its connection first, and ended. It is started again,\n");
    start_again(address, false);
    start_again(address, true);
}
