// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/sync/detail/wait_list.hpp>

#include <string_view>

namespace ringlet {

class event;

namespace detail {

class event_wait final : public leaf<event_wait, void> {
public:
    explicit event_wait(event& what) noexcept : event_{&what} {}
    static constexpr std::string_view name = "an event";
    bool start(job_block& job) noexcept;
    result<void> outcome(job_block&) const noexcept { return {}; }

private:
    event* event_;
};

}  // namespace detail

/// A flag that jobs wait for. As gevent's Event. Thread: the loop's thread only.
class event {
public:
    /// Sets the flag and wakes every job that waits for it, in the order in which they came.
    void set() noexcept {
        set_ = true;
        waiters_.wake_all();
    }
    /// Takes the flag down: who waits from now on waits for the next `set`.
    void clear() noexcept { set_ = false; }
    bool is_set() const noexcept { return set_; }

    /// Waits until the flag is set; a job that `set` has woken goes on although it is cleared meanwhile.
    /// Errors: `cancelled`. Lifetime: the event outlives the wait.
    auto wait() noexcept { return detail::event_wait{*this}; }

private:
    friend detail::event_wait;
    detail::wait_list waiters_;
    bool set_ = false;
};

}  // namespace ringlet
