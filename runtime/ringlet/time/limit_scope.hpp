// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/cancellation.hpp>
#include <ringlet/time/timer_queue.hpp>

#include <cstddef>

namespace ringlet::detail {

/// A cancel scope with a timer.
class limit_scope : public cancel_scope {
public:
    limit_scope() noexcept = default;
    limit_scope(limit_scope&&) noexcept = default;

    /// May throw std::bad_alloc; then the scope is not entered.
    void begin(job_block& job, deadline when) {
        current_scheduler().timers->arm(timer_, timer_owner::limit_scope, when);
        enter(job);
    }
    /// Changes the time of one that has begun and not expired.
    void move_to(deadline when) noexcept {
        timer_queue& timers = *this_thread_scheduler->timers;
        timers.disarm(timer_);
        timers.arm(timer_, timer_owner::limit_scope, when);  // there is room: its own
    }
    void end() noexcept {
        this_thread_scheduler->timers->disarm(timer_);
        leave();
    }

    static void expire(timer_node& timer) noexcept {
        reinterpret_cast<limit_scope*>(reinterpret_cast<std::byte*>(&timer) - offset())->cancel();
    }

private:
    static std::size_t offset() noexcept;
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
inline std::size_t limit_scope::offset() noexcept { return offsetof(limit_scope, timer_); }
#pragma GCC diagnostic pop

}  // namespace ringlet::detail
