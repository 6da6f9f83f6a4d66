// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/sync/detail/wait_list.hpp>
#include <ringlet/sync/mutex.hpp>

#include <concepts>
#include <string_view>
#include <utility>

namespace ringlet {

class condition;

namespace detail {

class condition_wait final : public leaf<condition_wait, void> {
public:
    explicit condition_wait(condition& what) noexcept : condition_{&what} {}
    static constexpr std::string_view name = "a condition";
    bool start(job_block& job) noexcept;
    result<void> outcome(job_block&) const noexcept { return {}; }

private:
    condition* condition_;
};

}  // namespace detail

/// Where jobs wait, without the mutex, for what others change while they hold it. Thread: the loop's thread only.
class condition {
public:
    /// Unlocks, waits for a notification, and locks again.
    ///
    /// Errors:    `cancelled`: the mutex is held again by then. A notification that comes first counts.
    /// Lifetime:  condition, mutex and guard outlive the wait.
    task<> wait(mutex_guard& held);
    /// Waits until `holds()` is true, which is looked at under the mutex.
    template <std::predicate Predicate>
    task<> wait(mutex_guard& held, Predicate holds) {
        for (;;) {
            const bool now = holds();
            if (now) break;
            co_await wait(held);
        }
    }

    /// Wakes the job that waits longest, if any.
    void notify_one() noexcept { waiters_.wake_first(); }
    void notify_all() noexcept { waiters_.wake_all(); }

private:
    friend detail::condition_wait;
    detail::wait_list waiters_;
};

}  // namespace ringlet
