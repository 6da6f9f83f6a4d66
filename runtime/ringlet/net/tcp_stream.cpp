// SPDX-License-Identifier: MIT
#include <ringlet/core/task_group.hpp>
#include <ringlet/io/op/connect.hpp>
#include <ringlet/net/resolver.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/time/joinall.hpp>

#include <cerrno>
#include <chrono>
#include <functional>
#include <optional>
#include <system_error>
#include <vector>

#include <netinet/tcp.h>

namespace ringlet::net {
namespace {

constexpr std::chrono::milliseconds head_start{250};

io::owned_fd open_socket(const endpoint& peer) {
    io::owned_fd socket{::socket(peer.address().sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP)};
    if (!socket) throw std::system_error{errno, std::generic_category(), "connect to " + peer.to_string()};
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
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

// A failure is a value here: it must not cancel the attempts beside it.
task<std::optional<tcp_stream>> try_connect(endpoint peer, first_failure& failure) {
    tcp_stream stream{open_socket(peer)};
    const result<void> done = co_await as_result(io::connect_op{stream.socket(), peer.address(), peer.length()});
    if (done) co_return std::move(stream);
    if (!failure.error) failure = {done.error(), peer};
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
            if (!running[i].done()) {
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

task<tcp_stream> tcp_stream::connect(endpoint peer) {
    first_failure failure;
    std::optional<tcp_stream> stream = co_await try_connect(peer, failure);
    if (!stream) throw connect_error(failure, "");
    co_return *std::move(stream);
}

task<tcp_stream> tcp_stream::connect(std::string host, std::uint16_t port) {
    const std::vector<endpoint> peers = co_await resolve(host, port);
    first_failure failure;
    std::optional<tcp_stream> stream;
    if (peers.size() == 1)
        stream = co_await try_connect(peers.front(), failure);
    else
        stream = co_await with_task_group(connect_first, std::cref(peers), std::ref(failure));
    if (!stream) throw connect_error(failure, host);
    co_return *std::move(stream);
}

}  // namespace ringlet::net
