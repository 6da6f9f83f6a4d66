// SPDX-License-Identifier: MIT
#include "compare/sockets.hpp"

#include <cerrno>
#include <system_error>
#include <thread>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace comparison {
namespace {

[[noreturn]] void fail() { throw std::system_error{errno, std::generic_category(), "accept"}; }

bool passes(int error) {
    switch (error) {
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
        case ENETDOWN:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EAGAIN:
            return true;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            std::this_thread::sleep_for(std::chrono::milliseconds{10});  // somebody may leave meanwhile
            return true;
        default:
            return false;
    }
}

}  // namespace

int accept_waiting(int listener) {
    for (;;) {
        const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) {
            const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
            ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
            ::setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
            send_at_once(client);
            return client;
        }
        if (!passes(errno)) fail();
    }
}

void send_at_once(int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool send_all(int socket, std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

int accept_at_once(int listener) {
    for (;;) {
        const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client >= 0) {
            send_at_once(client);
            return client;
        }
        if (errno == EAGAIN) return -1;
        if (!passes(errno)) fail();
        if (errno != EINTR && errno != ECONNABORTED) return -1;
    }
}

}  // namespace comparison
