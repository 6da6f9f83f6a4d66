// SPDX-License-Identifier: MIT
// The closed loop runs on io_uring too, in the cheapest form, so that the server is what is measured: one core makes
// about as many small requests as one core can answer.
#include "common/json_line.hpp"
#include "common/process.hpp"
#include "common/ring.hpp"
#include "load/modes.hpp"
#include "load/pattern.hpp"
#include "load/sockets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <vector>

#include <sys/socket.h>

namespace bench {
namespace {

using clock = std::chrono::steady_clock;

enum class event : std::uint32_t { receive, send, timer };

std::uint64_t tag(event what, std::uint32_t id = 0) {
    return std::uint64_t{id} << 8 | static_cast<std::uint32_t>(what);
}

__kernel_timespec to_timespec(std::chrono::duration<double> length) {
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(length).count();
    return {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
}

struct peer_state {
    std::uint64_t sequence = 0;  // of the message in flight
    std::uint32_t received = 0;  // of its answer
    bool busy = false;
};

class closed_loop {
public:
    explicit closed_loop(const load_options& options)
        : options_{options},
          bytes_{options.message_bytes},
          ring_{1024, 16384},
          pool_{ring_, 256, std::max<std::size_t>(4096, std::bit_ceil(options.message_bytes))},
          peers_(options.connections) {
        if (options_.server != 0) server_.emplace(options_.server);
        sockets_.reserve(options_.connections);
        for (unsigned i = 0; i < options_.connections; ++i) sockets_.emplace_back(options_);
    }

    void run() {
        for (std::uint32_t id = 0; id < options_.connections; ++id) {
            arm_receive(id);
            send_next(id);
        }
        // With a number of messages everything is measured, and the duration is only a limit.
        if (options_.messages != 0) begin_window();
        arm_timer(options_.messages != 0 ? options_.duration : options_.warm_up);
        while (!finished_) {
            ring_.submit_and_wait();
            unsigned head = 0;
            unsigned count = 0;
            io_uring_cqe* cqe = nullptr;
            io_uring_for_each_cqe(ring_.get(), head, cqe) {
                dispatch(*cqe);
                ++count;
            }
            io_uring_cq_advance(ring_.get(), count);
            pool_.publish();
        }
        report();
    }

private:
    enum class phase { warming_up, measuring, draining };

    void dispatch(const io_uring_cqe& cqe) {
        const auto id = static_cast<std::uint32_t>(cqe.user_data >> 8);
        switch (static_cast<event>(cqe.user_data & 0xff)) {
            case event::receive:
                return received(id, cqe.res, cqe.flags);
            case event::send:
                return sent(cqe.user_data >> 8, cqe.res);
            case event::timer:
                return next_phase();
        }
    }

    void arm_receive(std::uint32_t id) {
        io_uring_sqe* sqe = ring_.entry();
        io_uring_prep_recv_multishot(sqe, sockets_[id].get(), nullptr, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = buffer_pool::group;
        sqe->user_data = tag(event::receive, id);
    }

    void send_from(std::uint32_t id, std::size_t offset) {
        const auto rest = bytes_.message(id, peers_[id].sequence).subspan(offset);
        io_uring_sqe* sqe = ring_.entry();
        io_uring_prep_send(sqe, sockets_[id].get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_WAITALL);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;  // a short count is no success, given MSG_WAITALL
        sqe->user_data = tag(event::send, id) | std::uint64_t{offset} << 32;
    }

    void send_next(std::uint32_t id) {
        peers_[id].busy = true;
        ++busy_;
        send_from(id, 0);
    }

    void sent(std::uint64_t id_and_offset, int result) {
        const auto id = static_cast<std::uint32_t>(id_and_offset & 0xffffff);
        if (result < 0) give_up(fmt::format("connection {}: send: {}", id, std::strerror(-result)));
        const std::size_t done = (id_and_offset >> 24) + static_cast<std::size_t>(result);
        if (done < options_.message_bytes) send_from(id, done);
    }

    void received(std::uint32_t id, int result, unsigned flags) {
        peer_state& peer = peers_[id];
        if (result > 0) {
            const unsigned buffer = flags >> IORING_CQE_BUFFER_SHIFT;
            const std::span chunk{pool_.data(buffer), static_cast<std::size_t>(result)};
            if (!peer.busy) give_up(fmt::format("surplus bytes: connection {}: {} unasked", id, result));
            if (const auto wrong = bytes_.mismatch(id, peer.sequence, peer.received, chunk)) give_up(*wrong);
            pool_.recycle(buffer);
            peer.received += static_cast<std::uint32_t>(result);
            if (peer.received == options_.message_bytes) answered(id);
        } else if (result != -ENOBUFS) {
            give_up(result == 0 ? fmt::format("connection {}: the server closed it", id)
                                : fmt::format("connection {}: recv: {}", id, std::strerror(-result)));
        }
        if ((flags & IORING_CQE_F_MORE) == 0) arm_receive(id);
    }

    void answered(std::uint32_t id) {
        peer_state& peer = peers_[id];
        ++answers_;
        ++peer.sequence;
        peer.received = 0;
        peer.busy = false;
        --busy_;
        if (phase_ != phase::draining && (options_.messages == 0 || peer.sequence < options_.messages)) send_next(id);
        if (busy_ != 0) return;
        if (options_.messages != 0) end_window();
        finished_ = true;
    }

    void arm_timer(std::chrono::duration<double> length) {
        timer_ = to_timespec(length);
        io_uring_sqe* sqe = ring_.entry();
        io_uring_prep_timeout(sqe, &timer_, 0, 0);
        sqe->user_data = tag(event::timer);
    }

    void next_phase() {
        if (options_.messages != 0) give_up(fmt::format("{} connections have not finished in time", busy_));
        switch (phase_) {
            case phase::warming_up:
                begin_window();
                return arm_timer(options_.duration);
            case phase::measuring:
                end_window();
                phase_ = phase::draining;
                return arm_timer(std::chrono::seconds{5});
            case phase::draining:
                give_up(fmt::format("missing bytes: {} connections got no full answer", busy_));
        }
    }

    void begin_window() {
        phase_ = phase::measuring;
        answers_ = 0;
        start_ = clock::now();
        if (server_) cpu_before_ = server_->now();
    }

    void end_window() {
        if (server_) cpu_ = server_->now() - cpu_before_;
        wall_ = clock::now() - start_;
        measured_ = answers_;
    }

    void report() {
        if (measured_ == 0) give_up("not one answer was measured");
        const auto count = static_cast<double>(measured_);
        json_line{}
            .add("mode", "closed-loop")
            .add("connections", std::uint64_t{options_.connections})
            .add("bytes", static_cast<std::uint64_t>(options_.message_bytes))
            .add("requests", measured_)
            .add("seconds", wall_.count())
            .add("requests_per_second", count / wall_.count())
            .add("server_cpu_us_per_request", static_cast<double>(cpu_.count()) / 1000.0 / count)
            .add("server_cpu_share", static_cast<double>(cpu_.count()) / 1e9 / wall_.count())
            .add("errors", std::uint64_t{0})
            .print();
    }

    load_options options_;
    pattern bytes_;
    ring ring_;
    buffer_pool pool_;
    std::vector<socket_handle> sockets_;
    std::vector<peer_state> peers_;
    std::optional<cpu_clock> server_;
    __kernel_timespec timer_{};
    phase phase_ = phase::warming_up;
    unsigned busy_ = 0;
    bool finished_ = false;
    std::uint64_t answers_ = 0;
    std::uint64_t measured_ = 0;
    clock::time_point start_;
    std::chrono::duration<double> wall_{};
    std::chrono::nanoseconds cpu_before_{};
    std::chrono::nanoseconds cpu_{};
};

}  // namespace

void run_closed_loop(const load_options& options) { closed_loop{options}.run(); }

}  // namespace bench
