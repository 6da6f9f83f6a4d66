// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/detail/buffer_watch.hpp>
#include <ringlet/testing/detail/open_file.hpp>
#include <ringlet/testing/sim_engine.hpp>

#include <liburing.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <linux/openat2.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace ringlet::testing {

namespace detail {

inline constexpr std::int64_t would_wait = -EAGAIN;

inline bool selects_buffer(const io_uring_sqe& sqe) noexcept { return (sqe.flags & IOSQE_BUFFER_SELECT) != 0; }

}  // namespace detail

struct sim_engine::request final : detail::waiter {
    request(sim_engine& owner, const io_uring_sqe& asked, std::uint64_t ordinal)
        : engine{&owner}, sqe{asked}, number{ordinal} {}
    ~request() { leave(); }

    void file_changed() override {
        const auto at = waits_at.lock();
        if (!at || (at->ready_events() & (wanted | POLLERR | POLLHUP)) == 0) return;
        leave();
        schedule();
    }
    void wait(const std::shared_ptr<detail::open_file>& at, short events) {
        waits_at = at;
        wanted = events;
        at->add(*this);
    }
    void leave() noexcept {
        if (const auto at = waits_at.lock()) at->remove(*this);
        waits_at.reset();
    }
    void schedule(std::chrono::nanoseconds delay = {}) {
        scheduled = true;
        engine->world_->after(
            delay,
            [e = engine, n = number] {
                const auto found = e->requests_.find(n);
                if (found == e->requests_.end() || !std::exchange(found->second->scheduled, false)) return;
                e->go_on(*found->second);
            },
            engine);
    }

    sim_engine* engine;
    io_uring_sqe sqe;
    std::uint64_t number;
    std::shared_ptr<detail::open_file> file;
    std::shared_ptr<detail::open_file> other;  // of a splice: where it comes from; of a rename: the new directory
    std::weak_ptr<detail::open_file> waits_at;
    short wanted = 0;
    bool scheduled = false;
    bool ending = false;     // its last CQE is on the way
    bool cancelled = false;  // to end at the next occasion
    bool begun = false;      // CONNECT
    std::size_t moved = 0;   // MSG_WAITALL
    deadline last_told{};
    detail::buffer_watch memory;
    std::vector<iovec> parts;  // the caller's may be gone
    sockaddr_storage name{};
    socklen_t name_length = 0;
    std::string path;
    std::string new_path;
    open_how how{};
};

}  // namespace ringlet::testing
