// SPDX-License-Identifier: MIT
// Requests for one file, over and over on connections that stay, whose answers the kernel throws away (MSG_TRUNC): so cheap
// that the server is the one that is busy. It counts bytes only; whoever starts it has compared them.
//
// Try it:  bench-http-load PORT BYTES CONNECTIONS SECONDS     of a site whose file BYTES has so many
#include "common/json_line.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using clock = std::chrono::steady_clock;

[[noreturn]] void fail(std::string_view what) {
    fmt::print(stderr, "bench-http-load: {}: {}\n", what, std::strerror(errno));
    std::exit(1);
}

struct load {
    std::uint16_t port;
    std::uint64_t body_bytes;
    std::string request;
    std::uint64_t answer_bytes = 0;  // with the head

    int connect() const {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in server{};
        server.sin_family = AF_INET;
        server.sin_port = htons(port);
        server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) fail("connect");
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return fd;
    }
    void ask(int fd) const {
        if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) fail("send");
    }
    void look_at_one() {
        const int fd = connect();
        ask(fd);
        std::array<char, 65536> room;
        std::string answer;
        std::size_t head_end = answer.npos;
        while (head_end == answer.npos || answer.size() < head_end + 4 + body_bytes) {
            const ssize_t n = ::recv(fd, room.data(), room.size(), 0);
            if (n <= 0) fail("the first answer");
            answer.append(room.data(), static_cast<std::size_t>(n));
            head_end = answer.find("\r\n\r\n");
        }
        answer_bytes = answer.size();
        ::close(fd);
    }
};

struct connection {
    int fd;
    std::uint64_t left;
};

std::uint64_t answers_until(clock::time_point end, const load& how, int events, std::vector<connection>& all) {
    std::uint64_t answers = 0;
    std::array<epoll_event, 256> came{};
    while (clock::now() < end) {
        const int count = ::epoll_wait(events, came.data(), static_cast<int>(came.size()), 1000);
        if (count <= 0) fail("no answer for a second");
        for (int i = 0; i < count; ++i) {
            connection& one = all[came[static_cast<std::size_t>(i)].data.u32];
            const ssize_t n = ::recv(one.fd, nullptr, one.left, MSG_TRUNC | MSG_DONTWAIT);
            if (n <= 0) fail("a connection ended");
            one.left -= static_cast<std::uint64_t>(n);
            if (one.left > 0) continue;
            ++answers;
            one.left = how.answer_bytes;
            how.ask(one.fd);
        }
    }
    return answers;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        fmt::print(stderr, "usage: bench-http-load PORT BYTES CONNECTIONS SECONDS\n");
        return 2;
    }
    load how{static_cast<std::uint16_t>(std::atoi(argv[1])), std::strtoull(argv[2], nullptr, 10), {}};
    how.request = fmt::format("GET /{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", how.body_bytes, how.port);
    how.look_at_one();
    const int events = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<connection> all;
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(std::atoi(argv[3])); ++i) {
        all.push_back({how.connect(), how.answer_bytes});
        epoll_event wanted{};
        wanted.events = EPOLLIN;
        wanted.data.u32 = i;
        if (::epoll_ctl(events, EPOLL_CTL_ADD, all.back().fd, &wanted) != 0) fail("epoll_ctl");
        how.ask(all.back().fd);
    }
    const auto begin = clock::now();
    const std::chrono::duration<double> wanted{std::strtod(argv[4], nullptr)};
    const std::uint64_t answers =
        answers_until(begin + std::chrono::duration_cast<clock::duration>(wanted), how, events, all);
    const std::chrono::duration<double> took = clock::now() - begin;
    bench::json_line{}.add("requests", answers).add("seconds", took.count()).print();
}
