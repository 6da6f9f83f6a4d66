// SPDX-License-Identifier: MIT
#include <ringlet/io/op/connect.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/unix_stream.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace ringlet::net {
namespace {

constexpr std::chrono::milliseconds backoff_first{1};
constexpr std::chrono::milliseconds backoff_most{100};

}  // namespace

task<unix_stream> unix_stream::connect(unix_address peer) {
    std::chrono::milliseconds backoff = backoff_first;
    for (;;) {
        io::owned_fd socket{io::sys::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        std::error_code error{errno, std::generic_category()};
        if (socket) {
            const result<void> done = co_await as_result(io::connect_op{socket, peer.address(), peer.length()});
            if (done) co_return unix_stream{std::move(socket)};
            error = done.error();
        }
        // A full backlog: there is nothing to wait for that would tell.
        if (error != std::errc::resource_unavailable_try_again)
            throw std::system_error{error, "connect to " + peer.to_string()};
        co_await sleep(backoff);
        backoff = std::min(backoff * 2, backoff_most);
    }
}

std::pair<unix_stream, unix_stream> unix_stream::pair() {
    std::array<int, 2> fds{-1, -1};
    if (io::sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0)
        throw std::system_error{errno, std::generic_category(), "socketpair"};
    return {unix_stream{io::owned_fd{fds[0]}}, unix_stream{io::owned_fd{fds[1]}}};
}

peer_credentials unix_stream::credentials() const {
    ucred found{};
    socklen_t length = sizeof found;
    if (io::sys::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &found, &length) != 0)
        throw std::system_error{errno, std::generic_category(), "SO_PEERCRED"};
    return {found.pid, found.uid, found.gid};
}

unix_address unix_stream::local_address() const noexcept {
    sockaddr_un address{};
    socklen_t length = sizeof address;
    if (io::sys::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
    return {address, length};
}

unix_address unix_stream::peer_address() const noexcept {
    sockaddr_un address{};
    socklen_t length = sizeof address;
    if (io::sys::getpeername(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
    return {address, length};
}

}  // namespace ringlet::net
