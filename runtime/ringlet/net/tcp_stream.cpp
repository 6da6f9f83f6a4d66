// SPDX-License-Identifier: MIT
#include <ringlet/core/task_group.hpp>
#include <ringlet/io/op/connect.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/resolver.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/time/joinall.hpp>

#include <cerrno>
#include <chrono>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <netinet/tcp.h>

namespace ringlet::net {
namespace {

constexpr std::chrono::milliseconds head_start{250};

result<io::owned_fd> open_socket(const endpoint& peer) noexcept {
    io::owned_fd socket{io::sys::socket(peer.address().sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP)};
    if (!socket) return std::error_code{errno, std::generic_category()};
    const int on = 1;
    io::sys::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return result<io::owned_fd>{std::move(socket)};
}

struct first_failure {
    std::error_code error;
    endpoint peer;
};

std::system_error connect_error(const first_failure& failure, const std::string& host) {
    std::string what = "connect to " + failure.peer.to_string();
    if (!host.empty() && failure.peer.address_text() != host) what += " (" + host + ")";
    return std::system_error{failure.error, what};
}

// A failure is a value here, that of socket(2) too (no IPv6 in this kernel): it must not cancel the attempts beside it.
task<std::optional<tcp_stream>> try_connect(endpoint peer, first_failure& failure) {
    result<io::owned_fd> socket = open_socket(peer);
    std::error_code error = socket.error();
    if (socket) {
        const result<void> done = co_await as_result(io::connect_op{*socket, peer.address(), peer.length()});
        if (done) co_return tcp_stream{*std::move(socket)};
        error = done.error();
    }
    if (!failure.error) failure = {error, peer};
    co_return std::nullopt;
}

task<std::optional<tcp_stream>> connect_first(task_group& group, const std::vector<endpoint>& peers,
                                              first_failure& failure) {
    std::vector<job<std::optional<tcp_stream>>> running;
    std::size_t next = 0;
    while (next < peers.size() || !running.empty()) {
        if (next < peers.size()) running.push_back(group.spawn(try_connect, peers[next++], std::ref(failure)));
        join_options options;
        options.count = 1;
        if (next < peers.size()) options.timeout = head_start;
        co_await joinall(running, options);
        for (std::size_t i = 0; i < running.size();) {
            if (!running[i].ready()) {
                ++i;
                continue;
            }
            std::optional<tcp_stream> stream = co_await running[i].get();
            if (stream) {
                group.cancel();
                co_return stream;
            }
            running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    co_return std::nullopt;
}

}  // namespace

task<tcp_stream> tcp_stream::connect(std::vector<endpoint> peers, std::string host) {
    first_failure failure;
    std::optional<tcp_stream> stream;
    if (peers.size() == 1)
        stream = co_await try_connect(peers.front(), failure);
    else
        stream = co_await with_task_group(connect_first, std::cref(peers), std::ref(failure));
    if (!stream) throw connect_error(failure, host);
    co_return *std::move(stream);
}

task<tcp_stream> tcp_stream::connect(endpoint peer) {
    first_failure failure;
    std::optional<tcp_stream> stream = co_await try_connect(peer, failure);
    if (!stream) throw connect_error(failure, "");
    co_return *std::move(stream);
}

task<tcp_stream> tcp_stream::connect(std::string host, std::uint16_t port) {
    std::vector<endpoint> peers = co_await resolve(host, port);
    co_return co_await connect(std::move(peers), std::move(host));
}

}  // namespace ringlet::net
