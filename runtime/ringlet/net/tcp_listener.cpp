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

bool set(io::fd_ref socket, int level, int option, int value = 1) noexcept {
    return io::sys::setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

}  // namespace

io::owned_fd tcp_listener::open(const endpoint& address, const listen_options& options, bool shared) {
    io::owned_fd socket{io::sys::socket(address.address().sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP)};
    if (!socket) raise(errno, address);
    // Accepted sockets inherit TCP_NODELAY.
    if (!set(socket, SOL_SOCKET, SO_REUSEADDR) || !set(socket, IPPROTO_TCP, TCP_NODELAY) ||
        (shared && !set(socket, SOL_SOCKET, SO_REUSEPORT)) ||
        (options.until_data.count() > 0 &&
         !set(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, static_cast<int>(options.until_data.count()))) ||
        io::sys::bind(socket.get(), &address.address(), address.length()) != 0 ||
        io::sys::listen(socket.get(), options.backlog) != 0)
        raise(errno, address);
    return socket;
}

tcp_listener tcp_listener::bind(const endpoint& address, const listen_options& options) {
    return tcp_listener{open(address, options, false)};
}

std::vector<tcp_listener> tcp_listener::bind_shared(const endpoint& address, std::size_t count,
                                                    const listen_options& options) {
    std::vector<tcp_listener> all;
    if (count == 0) return all;
    all.push_back(tcp_listener{open(address, options, false), count > 1});
    const endpoint bound = all.front().local_endpoint();
    if (count > 1 && !set(all.front().socket(), SOL_SOCKET, SO_REUSEPORT)) raise(errno, bound);
    while (all.size() < count) all.push_back(tcp_listener{open(bound, options, true), true});
    return all;
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
