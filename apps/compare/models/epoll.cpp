// SPDX-License-Identifier: MIT
// As nonblocking, but the kernel is asked which connections have something to do, and the thread sleeps while there is none.
// The state of a connection is an object, found by the pointer that the kernel keeps for us.
#include "common/confined_open.hpp"
#include "compare/models/connection.hpp"
#include "compare/models/models.hpp"
#include "compare/sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/epoll.h>

namespace comparison {
namespace {

using clock = connection::clock;

class epoll_server {
public:
    epoll_server(int listener, const site& pages) : listener_{listener}, pages_{pages} {
        if (!poll_) throw std::system_error{errno, std::generic_category(), "epoll_create1"};
        epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
        ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, listener_, &event);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, 256> events;
        for (;;) {
            const int count = ::epoll_wait(poll_.get(), events.data(), events.size(), time_left());
            const auto now = clock::now();
            for (int i = 0; i < count; ++i) {
                auto* const one = static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr);
                one ? go_on(*one, now) : accept_all(now);
            }
            while (!waiting_.empty() && waiting_.begin()->first <= now) go_on(*waiting_.begin()->second, now);
        }
    }

private:
    int time_left() const {
        if (waiting_.empty()) return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(waiting_.begin()->first - clock::now());
        return static_cast<int>(std::max(left.count(), std::chrono::milliseconds::rep{0}));
    }

    void accept_all(clock::time_point now) {
        for (int client = 0; (client = accept_at_once(listener_)) >= 0;) {
            auto* const one = new connection{client, pages_};
            waiting_.emplace(one->until(), one);
            // Told of changes only: nothing to be changed each time what it waits for changes.
            epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = one}};
            ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, client, &event);
            go_on(*one, now);
        }
    }

    void go_on(connection& one, clock::time_point now) {
        waiting_.erase(std::pair{one.until(), &one});
        if (one.go_on(now) == connection::wants::end)
            delete &one;  // closes it, by which the kernel forgets it, too
        else
            waiting_.emplace(one.until(), &one);
    }

    int listener_;
    const site& pages_;
    apps::unique_fd poll_{::epoll_create1(EPOLL_CLOEXEC)};
    std::set<std::pair<clock::time_point, connection*>> waiting_;  // all of them, the next to be looked at first
};

}  // namespace

void serve_epoll(ringlet::net::tcp_listener& listener, const site& pages) {
    ::fcntl(listener.socket().get(), F_SETFL, O_RDWR | O_NONBLOCK);
    epoll_server{listener.socket().get(), pages}.run();
}

}  // namespace comparison
