// SPDX-License-Identifier: MIT
#include "scenario.hpp"

#include <ringlet/io/op/write_all.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/unix_stream.hpp>

#include <cerrno>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>

namespace ringlet_tests {

task<connection> connected() {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    auto ends = co_await ringlet::when_all(net::tcp_stream::connect(listener.local_endpoint()), listener.accept());
    co_return connection{std::move(std::get<0>(ends)), std::move(std::get<1>(ends))};
}

task<connection> connected_locally() {
    auto [near, far] = net::unix_stream::pair();
    co_return connection{net::tcp_stream{std::move(near).release()}, net::tcp_stream{std::move(far).release()}};
}

task<> send_text(net::tcp_stream& to, std::string text) { co_await to.send_all(as_bytes(text)); }

task<> send_text_later(net::tcp_stream& to, std::string text) {
    co_await ringlet::sleep(2ms);
    co_await to.send_all(as_bytes(text));
}

task<std::size_t> receive_all_later(net::tcp_stream& from) {
    co_await ringlet::sleep(2ms);
    std::vector<std::byte> block(64 * 1024);
    for (std::size_t all = 0;;) {
        const std::size_t n = co_await from.recv(block);
        if (n == 0) co_return all;
        all += n;
    }
}

task<std::string> receive_exactly(net::tcp_stream& from, std::size_t bytes) {
    std::string all(bytes, '\0');
    std::size_t got = 0;
    while (got < bytes) {
        const std::size_t n = co_await from.recv(std::as_writable_bytes(std::span{all}).subspan(got));
        if (n == 0) break;
        got += n;
    }
    all.resize(got);
    co_return all;
}

std::array<iovec, 2> halves(const std::string& text) {
    const std::span<const std::byte> all = as_bytes(text);
    const std::size_t half = all.size() / 2;
    return {net::part_of(all.first(half)), net::part_of(all.subspan(half))};
}

io::owned_fd checked_fd(int fd, const char* what) {
    if (fd < 0) throw std::system_error{errno, std::generic_category(), what};
    return io::owned_fd{fd};
}

io::owned_fd listening_socket(net::endpoint& bound) {
    io::owned_fd fd = checked_fd(io::sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const net::endpoint any = net::endpoint::loopback_v4(0);
    if (io::sys::bind(fd.get(), &any.address(), any.length()) != 0 || io::sys::listen(fd.get(), 8) != 0)
        throw std::system_error{errno, std::generic_category(), "listen"};
    bound = net::local_endpoint_of(fd.get());
    return fd;
}

pipe_ends make_pipe() {
    std::array<int, 2> ends{};
    if (io::sys::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
    return {io::owned_fd{ends[0]}, io::owned_fd{ends[1]}};
}

task<> write_later(io::fd_ref to, std::string text) {
    co_await ringlet::sleep(2ms);
    co_await io::write_all_op{to, as_bytes(text)};
}

}  // namespace ringlet_tests
