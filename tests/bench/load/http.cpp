// SPDX-License-Identifier: MIT
// Requests for one file, over and over on connections that stay, whose answers the kernel throws away (MSG_TRUNC): so cheap
// that the server is the one that is busy. It counts bytes only; whoever starts it has compared them.
//
// Try it:  bench-http-load PORT BYTES CONNECTIONS SECONDS     of a site whose file BYTES has so many
#include "common/json_line.hpp"
#include "load/sockets.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <sys/epoll.h>
#include <sys/socket.h>

namespace {

using clock = std::chrono::steady_clock;

struct load {
    bench::load_options where;
    std::uint64_t body_bytes = 0;
    std::string request;
    std::uint64_t answer_bytes = 0;  // with the head

    void ask(const bench::socket_handle& server) const { server.send_all(std::as_bytes(std::span{request})); }
    void look_at_one() {
        const bench::socket_handle server{where};
        ask(server);
        std::array<std::byte, 65536> room;
        std::string answer;
        std::size_t head_end = answer.npos;
        while (head_end == answer.npos || answer.size() < head_end + 4 + body_bytes) {
            const auto part = server.receive(room, {});
            answer.append(reinterpret_cast<const char*>(part.data()), part.size());
            head_end = answer.find("\r\n\r\n");
        }
        answer_bytes = answer.size();
    }
};

struct connection {
    bench::socket_handle server;
    std::uint64_t left;
};

std::uint64_t answers_until(clock::time_point end, const load& how, int events, std::vector<connection>& all) {
    std::uint64_t answers = 0;
    std::array<epoll_event, 256> came{};
    while (clock::now() < end) {
        const int count = ::epoll_wait(events, came.data(), static_cast<int>(came.size()), 1000);
        if (count <= 0) bench::give_up("no answer for a second");
        for (int i = 0; i < count; ++i) {
            connection& one = all[came[static_cast<std::size_t>(i)].data.u32];
            const ssize_t n = ::recv(one.server.get(), nullptr, one.left, MSG_TRUNC | MSG_DONTWAIT);
            if (n <= 0) bench::give_up("a connection ended");
            one.left -= static_cast<std::uint64_t>(n);
            if (one.left > 0) continue;
            ++answers;
            one.left = how.answer_bytes;
            how.ask(one.server);
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
    load how;
    how.where.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    how.body_bytes = std::strtoull(argv[2], nullptr, 10);
    how.request = fmt::format("GET /{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", how.body_bytes, how.where.port);
    how.look_at_one();
    const int events = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<connection> all;
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(std::atoi(argv[3])); ++i) {
        all.push_back({bench::socket_handle{how.where}, how.answer_bytes});
        epoll_event wanted{};
        wanted.events = EPOLLIN;
        wanted.data.u32 = i;
        if (::epoll_ctl(events, EPOLL_CTL_ADD, all.back().server.get(), &wanted) != 0) bench::give_up("epoll_ctl");
        how.ask(all.back().server);
    }
    const auto begin = clock::now();
    const std::chrono::duration<double> wanted{std::strtod(argv[4], nullptr)};
    const std::uint64_t answers =
        answers_until(begin + std::chrono::duration_cast<clock::duration>(wanted), how, events, all);
    const std::chrono::duration<double> took = clock::now() - begin;
    bench::json_line{}.add("requests", answers).add("seconds", took.count()).print();
}
