// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/time/clock.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace ringlet {
namespace detail {

/// Lets `job` wait for a point in time; `kind` cancels by `cancel_timer_wait`. May throw std::bad_alloc.
void wait_for_timer(job_block& job, deadline when, const wait_kind& kind);
void cancel_timer_wait(job_block& job) noexcept;

class [[nodiscard("nothing happens until this is awaited")]] sleep_wait final : public leaf<sleep_wait, void> {
public:
    explicit sleep_wait(std::chrono::nanoseconds duration) noexcept : relative_{true}, count_{duration.count()} {}
    explicit sleep_wait(deadline when) noexcept : count_{when.time_since_epoch().count()} {}

    static constexpr std::string_view name = "sleep";
    bool start(job_block& job);
    result<void> outcome(job_block&) const noexcept { return {}; }

private:
    bool relative_ = false;  // before count_: fills the base's padding, which counts with a million sleepers
    std::int64_t count_;
};

class [[nodiscard("nothing happens until this is awaited")]] yield_wait final : public leaf<yield_wait, void> {
public:
    yield_wait() noexcept {}
    static constexpr std::string_view name = "yield";
    bool start(job_block& job) noexcept { return suspend_once(job); }
    result<void> outcome(job_block&) const noexcept { return {}; }
};

}  // namespace detail

/// Suspends the job for at least `duration`; other jobs run meanwhile. Zero or less lets the others run once.
/// Errors: `cancelled`. Maps to: a user-space timer and the time limit of io_uring_enter(2); no request of its own.
inline auto sleep(std::chrono::nanoseconds duration) noexcept { return detail::sleep_wait{duration}; }

/// Suspends the job until `when` on the loop's clock. Otherwise as `sleep`.
inline auto sleep_until(deadline when) noexcept { return detail::sleep_wait{when}; }

/// Lets every job that is ready now run before this one goes on. A cancellation point.
inline auto yield() noexcept { return detail::yield_wait{}; }

}  // namespace ringlet
