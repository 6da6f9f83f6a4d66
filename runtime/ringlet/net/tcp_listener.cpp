// SPDX-License-Identifier: MIT
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/detail/accept_error.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include <netinet/tcp.h>

namespace ringlet::net {
namespace {

[[noreturn]] void raise(int error, const endpoint& address) {
    throw std::system_error{error, std::generic_category(), "cannot listen on " + address.to_string()};
}

}  // namespace

tcp_listener tcp_listener::bind(const endpoint& address, const listen_options& options) {
    io::owned_fd socket{io::sys::socket(address.address().sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP)};
    if (!socket) raise(errno, address);
    const int on = 1;
    // Accepted sockets inherit TCP_NODELAY.
    if (io::sys::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        io::sys::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        io::sys::bind(socket.get(), &address.address(), address.length()) != 0 ||
        io::sys::listen(socket.get(), options.backlog) != 0)
        raise(errno, address);
    return tcp_listener{std::move(socket)};
}

task<tcp_stream> tcp_listener::accept() {
    std::chrono::milliseconds backoff = detail::accept_backoff_first;
    for (;;) {
        result<io::owned_fd> socket = co_await as_result(acceptor_.accept());
        if (socket) co_return tcp_stream{*std::move(socket)};
        const std::error_code error = socket.error();
        if (detail::is_shortage(error.value())) {
            // The request fails again at once, without waiting for a peer, until a descriptor is free.
            co_await sleep(backoff);
            backoff = std::min(backoff * 2, detail::accept_backoff_most);
        } else if (!detail::concerns_one_peer(error.value())) {
            throw std::system_error{error, "accept on " + local_endpoint().to_string()};
        }
    }
}

}  // namespace ringlet::net
