// SPDX-License-Identifier: MIT
#include "compare/sockets.hpp"

#include <ringlet/net/error.hpp>

#include <cerrno>
#include <memory>
#include <new>
#include <system_error>
#include <thread>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace comparison {
namespace {

[[noreturn]] void fail() { throw std::system_error{errno, std::generic_category(), "accept"}; }

void limit_waiting(int socket) {
    const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

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
            limit_waiting(client);
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

std::vector<ringlet::net::endpoint> look_up(const std::string& host, std::uint16_t port) {
    using ringlet::net::errc;
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;  // else every address comes once for each type
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
    const std::string what = "could not resolve host: " + host;
    if (failed == EAI_MEMORY) throw std::bad_alloc{};
    if (failed == EAI_SYSTEM) throw std::system_error{errno, std::generic_category(), what};
    if (failed == EAI_AGAIN || failed == EAI_FAIL)
        throw std::system_error{make_error_code(errc::resolver_unavailable), what};
    std::vector<ringlet::net::endpoint> all;
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
        ringlet::net::endpoint address{*each->ai_addr, each->ai_addrlen};
        if (!address.is_v4() && !address.is_v6()) continue;
        address.set_port(port);
        all.push_back(address);
    }
    if (all.empty()) throw std::system_error{make_error_code(errc::host_not_found), what};
    return all;
}

apps::unique_fd connect_waiting(const std::string& host, std::uint16_t port) {
    int first_error = 0;
    for (const ringlet::net::endpoint& peer : look_up(host, port)) {
        apps::unique_fd made{::socket(peer.address().sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP)};
        if (made) {
            limit_waiting(made.get());
            if (::connect(made.get(), &peer.address(), peer.length()) == 0) {
                send_at_once(made.get());
                return made;
            }
        }
        if (first_error == 0) first_error = errno;
    }
    if (first_error == EINPROGRESS) return {};  // so says the kernel when the limit has been exceeded
    throw std::system_error{first_error, std::generic_category(), "connect to " + host};
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
