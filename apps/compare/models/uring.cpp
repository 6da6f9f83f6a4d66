// SPDX-License-Identifier: MIT
// io_uring by hand. The kernel is told what to do and says when it is done, many requests and many answers in one system call.
// The state of a connection is an object again, and what comes next stands in a switch: this is what a coroutine's frame and
// its co_await are for.
#include "common/confined_open.hpp"
#include "compare/exchange.hpp"
#include "compare/models/models.hpp"
#include "compare/sockets.hpp"

#include <liburing.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>
#include <unordered_set>

#include <sys/socket.h>

namespace comparison {
namespace {

using clock = std::chrono::steady_clock;

/// One request of each is in flight at any time.
struct connection {
    enum class step : std::uint8_t { receive, wait, send } doing = step::receive;
    apps::unique_fd client;
    exchange requests;
    std::optional<answer> reply{};
    std::size_t sent = 0;
    clock::time_point until = clock::now() + patience;
    __kernel_timespec pause{};
    std::array<char, block_bytes> block{};
};

class uring_server {
public:
    uring_server(int listener, const site& pages) : listener_{listener}, pages_{pages} {
        io_uring_params how{};
        how.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
        how.cq_entries = 16384;
        const int error = io_uring_queue_init_params(1024, &ring_, &how);
        if (error != 0) throw std::system_error{-error, std::generic_category(), "io_uring_setup"};
    }

    [[noreturn]] void run() {
        accept();
        look_around_later();
        for (;;) {
            io_uring_submit_and_wait(&ring_, 1);
            unsigned head = 0;
            unsigned count = 0;
            io_uring_cqe* done = nullptr;
            io_uring_for_each_cqe(&ring_, head, done) {
                ++count;
                if (done->user_data == accepting)
                    accepted(done->res, done->flags);
                else if (done->user_data == looking)
                    look_around();
                else
                    go_on(*reinterpret_cast<connection*>(done->user_data), done->res);
            }
            io_uring_cq_advance(&ring_, count);
        }
    }

private:
    static constexpr std::uint64_t accepting = 1;
    static constexpr std::uint64_t looking = 2;

    io_uring_sqe& request(std::uint64_t user_data) {
        io_uring_sqe* entry = nullptr;
        while ((entry = io_uring_get_sqe(&ring_)) == nullptr) io_uring_submit(&ring_);
        entry->user_data = user_data;
        return *entry;
    }
    io_uring_sqe& request(connection& of) { return request(reinterpret_cast<std::uint64_t>(&of)); }

    void accept() { io_uring_prep_multishot_accept(&request(accepting), listener_, nullptr, nullptr, SOCK_CLOEXEC); }

    void accepted(int client, unsigned flags) {
        if (client >= 0) {
            send_at_once(client);
            auto* const made = new connection{.client = apps::unique_fd{client}, .requests = exchange{pages_}};
            all_.insert(made);
            receive(*made);
        }
        if ((flags & IORING_CQE_F_MORE) == 0) accept();
    }

    void receive(connection& one) {
        one.doing = connection::step::receive;
        io_uring_prep_recv(&request(one), one.client.get(), one.block.data(), one.block.size(), 0);
    }

    void send(connection& one) {
        one.doing = connection::step::send;
        io_uring_prep_send(&request(one), one.client.get(), one.reply->text.data() + one.sent,
                           one.reply->text.size() - one.sent, MSG_NOSIGNAL);
    }

    void wait(connection& one) {
        one.doing = connection::step::wait;
        one.pause = {.tv_sec = 0, .tv_nsec = one.reply->wait.count()};
        io_uring_prep_timeout(&request(one), &one.pause, 0, 0);
    }

    void go_on(connection& one, int result) {
        one.until = clock::now() + patience;
        switch (one.doing) {
            case connection::step::receive:
                if (result <= 0) return end(one);
                one.requests.feed({one.block.data(), static_cast<std::size_t>(result)});
                return answer_next(one);
            case connection::step::wait:
                return send(one);
            case connection::step::send:
                if (result <= 0) return end(one);
                one.sent += static_cast<std::size_t>(result);
                if (one.sent < one.reply->text.size()) return send(one);
                if (one.reply->closes) return end(one);
                return answer_next(one);
        }
    }

    void answer_next(connection& one) {
        one.reply = one.requests.next();
        one.sent = 0;
        if (!one.reply) return receive(one);
        one.reply->wait.count() > 0 ? wait(one) : send(one);
    }

    void end(connection& one) {
        all_.erase(&one);
        delete &one;
    }

    void look_around_later() { io_uring_prep_timeout(&request(looking), &second_, 0, 0); }

    void look_around() {
        const auto now = clock::now();
        for (connection* one : all_)
            if (one->until < now) ::shutdown(one->client.get(), SHUT_RDWR);  // its request ends by that
        look_around_later();
    }

    int listener_;
    const site& pages_;
    io_uring ring_{};
    __kernel_timespec second_{.tv_sec = 1, .tv_nsec = 0};
    std::unordered_set<connection*> all_;
};

}  // namespace

void serve_uring(ringlet::net::tcp_listener& listener, const site& pages) {
    uring_server{listener.socket().get(), pages}.run();
}

}  // namespace comparison
