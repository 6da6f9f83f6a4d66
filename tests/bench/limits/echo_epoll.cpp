// SPDX-License-Identifier: MIT
// The limit for the epoll engine: a TCP echo server written by hand on epoll. One thread, edge-triggered, one receive and
// one send for a message; what the peer does not take is kept until it can be sent.
//
// Try it:  bench-limit-echo-epoll -p 7000     It prints the address, flushed at once; -p 0 takes a free port.
#include "limits/echo_options.hpp"
#include "limits/listener.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using bench::echo_options;

[[noreturn]] void fail(const char* what) {
    fmt::print(stderr, "bench-limit-echo-epoll: {}: {}\n", what, std::strerror(errno));
    std::exit(2);
}

class echo_server {
public:
    explicit echo_server(const echo_options& options)
        : buffer_(options.buffer_bytes),
          listener_{bench::listen_on_loopback("Echoing TCP at ", options.port, options.congestion, SOCK_NONBLOCK)},
          epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
        watch(listener_);
    }

    void run() {
        std::array<epoll_event, 256> events;
        for (;;) {
            const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
            if (count < 0 && errno != EINTR) fail("epoll_wait");
            for (int i = 0; i < count; ++i) {
                const epoll_event& event = events[static_cast<std::size_t>(i)];
                if (event.data.fd == listener_)
                    accept_all();
                else
                    serve(event.data.fd, (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
            }
        }
    }

private:
    void watch(int fd) const {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.fd = fd;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    }

    void accept_all() {
        for (;;) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) return;
            if (static_cast<std::size_t>(fd) >= unsent_.size()) unsent_.resize(static_cast<std::size_t>(fd) + 1024);
            unsent_[static_cast<std::size_t>(fd)].clear();
            watch(fd);
        }
    }

    // False when the peer takes no more for now.
    static bool send_all(int fd, std::span<const char> bytes, std::string& rest) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) {
                rest.assign(bytes.begin(), bytes.end());
                return false;
            }
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
        return true;
    }

    void serve(int fd, bool may_have_ended) {
        std::string& rest = unsent_[static_cast<std::size_t>(fd)];
        if (const std::string now = std::exchange(rest, {}); !send_all(fd, now, rest)) return;
        for (;;) {
            const ssize_t got = ::recv(fd, buffer_.data(), buffer_.size(), 0);
            if (got < 0 && errno == EAGAIN) return;
            if (got <= 0) {
                ::close(fd);
                return;
            }
            const auto count = static_cast<std::size_t>(got);
            if (!send_all(fd, std::span{buffer_}.first(count), rest)) return;
            if (count < buffer_.size() && !may_have_ended) return;  // emptied: what comes now is a new edge
        }
    }

    std::vector<char> buffer_;
    std::vector<std::string> unsent_;  // by descriptor
    int listener_;
    int epoll_;
};

}  // namespace

int main(int argc, char** argv) { echo_server{bench::parse_echo_options(argc, argv)}.run(); }
