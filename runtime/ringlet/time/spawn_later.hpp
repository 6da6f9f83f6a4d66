// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/job.hpp>
#include <ringlet/time/clock.hpp>

#include <chrono>
#include <concepts>
#include <type_traits>
#include <utility>

namespace ringlet {
namespace detail {

/// Arms a timer that starts the job. May throw std::bad_alloc; then nothing is armed.
void arm_start(job_block& made, deadline when);
/// The job, now of a group, waits for its time; if it is cancelled already, that has come.
void await_start(job_block& made) noexcept;

template <class T>
job<T> start_later(job_group& group, unstarted_job<T> made, deadline when) {
    job_block& block = made.block();
    arm_start(block, when);
    job<T> handle = std::move(made).add_to(group);
    await_start(block);
    return handle;
}

}  // namespace detail

/// As `spawn`, but the job starts after `delay`. As gevent's spawn_later. One that is cancelled before never runs, and until
/// then it holds function and arguments, and no timer but its own.
///
/// Result:    the job's handle. Dropping it lets the job start and run on.
/// Errors:    std::bad_alloc.
/// Thread:    the loop's thread, while the loop runs.
template <class F, class... Args>
    requires(!detail::is_task<std::remove_cvref_t<F>>::value)
auto spawn_later(std::chrono::nanoseconds delay, F&& function, Args&&... args) {
    return detail::start_later(detail::current_scheduler().root(),
                               detail::make_job(std::forward<F>(function), std::forward<Args>(args)...),
                               deadline_after(delay));
}

/// Starts a task that exists already after `delay`.
template <class T>
job<T> spawn_later(std::chrono::nanoseconds delay, task<T> body) {
    return detail::start_later(detail::current_scheduler().root(), detail::make_job_of(std::move(body)),
                               deadline_after(delay));
}

}  // namespace ringlet
