// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/async_generator.hpp>
#include <ringlet/core/detail/ended_jobs.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/timeout.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <ranges>
#include <source_location>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace ringlet {

/// How long `wait` and `iwait` go on. (A class with a constructor: g++ 12 destroys aggregates in a co_await expression
/// twice.)
struct wait_options {
    wait_options() noexcept {}
    wait_options(std::optional<std::chrono::nanoseconds> timeout_or_none,
                 std::size_t count_wanted = std::numeric_limits<std::size_t>::max()) noexcept
        : timeout{timeout_or_none}, count{count_wanted} {}
    /// At most this long; no limit when absent.
    std::optional<std::chrono::nanoseconds> timeout;
    /// Until so many have ended.
    std::size_t count = std::numeric_limits<std::size_t>::max();
};

namespace detail {

template <class T>
class [[nodiscard("nothing happens until this is awaited")]] wait_wait final : public leaf<wait_wait<T>, void>,
                                                                               public timed_join {
    using base = leaf<wait_wait, void>;

public:
    using value_type = std::vector<job<T>*>;
    wait_wait(job<T>* jobs, std::size_t size, const wait_options& options) noexcept
        : timed_join{jobs, size, options.count, options.timeout} {}

    static constexpr std::string_view name = "wait";
    bool begin(job_block& self, std::coroutine_handle<> frame) {
        begin_limit(self);
        return base::begin(self, frame);
    }
    result<void> outcome(job_block&) noexcept { return {}; }
    value_type resume(job_block& self) {
        if (!end_limit(self)) base::raise(cancelled_code());
        const std::size_t count = ended(false).done;
        value_type done;
        done.reserve(count);
        for (job<T>& each : std::span{static_cast<job<T>*>(jobs()), size()})
            if (each.ready()) done.push_back(&each);
        return done;
    }
    result<value_type> end(job_block&) noexcept = delete;  // it allocates
};

/// Takes what an iwait has not given out of its list.
template <class T>
class iwait_jobs : public ended_jobs {
public:
    iwait_jobs(std::span<job<T>> jobs, const job_block& self) noexcept : jobs_{jobs}, left_{jobs.size()} {
        for (job<T>& each : jobs_) {
            require(&each.block() != &self, "a job cannot join itself");
            watch(each.block());
        }
    }
    ~iwait_jobs() {
        if (left_ > 0)
            for (job<T>& each : jobs_)
                if (each.owns()) forget(each.block());
    }
    job<T>* take_job() noexcept {
        const job_block* const ended = take();
        if (!ended) return nullptr;
        --left_;
        for (std::size_t tried = 0; tried < jobs_.size(); ++tried) {
            job<T>& each = jobs_[at_];  // jobs tend to end in their order
            at_ = at_ + 1 < jobs_.size() ? at_ + 1 : 0;
            if (each.owns() && &each.block() == ended) return &each;
        }
        programmer_error("a job's handle was moved away before iwait had given it", std::source_location::current());
    }

private:
    std::span<job<T>> jobs_;
    std::size_t left_;
    std::size_t at_ = 0;
};

template <class T>
async_generator<job<T>*> iwait_each(std::span<job<T>> all, wait_options options) {
    const deadline until = options.timeout ? deadline_after(*options.timeout) : deadline::max();
    iwait_jobs<T> jobs{all, *this_thread_scheduler->current_job()};
    for (std::size_t left = std::min(options.count, all.size()); left > 0; --left) {
        if (options.timeout) {
            const bool in_time = co_await move_on_at(until, jobs.next());
            if (!in_time) break;
        } else {
            co_await jobs.next();
        }
        co_yield jobs.take_job();
    }
}

}  // namespace detail

/// Waits until all jobs (or `count` of them) have ended, or until the timeout, and raises nothing of theirs. As gevent's
/// wait. Where `joinall` answers for the failures, here they stay in the handles for whoever asks for them by `get` or
/// job::exception.
///
/// Result:    those that have ended, in the order of `jobs`; fewer than asked for when the timeout came first, which is no
///            error.
/// Errors:    `cancelled` when the waiter is cancelled, which does not cancel the jobs.
/// Lifetime:  borrows `jobs` until the co_await ends; the result points into them.
/// Thread:    the loop's thread only.
template <std::ranges::contiguous_range Jobs>
auto wait(Jobs& jobs, const wait_options& options = wait_options()) noexcept {
    static_assert(detail::is_job_range<Jobs>, "wait takes a vector, array or span of ringlet::job");
    return detail::wait_wait{std::ranges::data(jobs), static_cast<std::size_t>(std::ranges::size(jobs)), options};
}

/// Gives jobs as they end, the first first: `while (auto ended = co_await jobs.next()) use(**ended)`. As gevent's iwait, and
/// otherwise as `wait`. The time starts to run when the first is asked for.
///
/// Errors:    of `next`: `cancelled` when the waiter is cancelled, which does not cancel the jobs.
/// Lifetime:  borrows `jobs` until the generator is gone or at its end. A handle may be moved away once it was given.
///            Until then nobody else may join the job.
/// Thread:    the loop's thread only.
template <std::ranges::contiguous_range Jobs>
auto iwait(Jobs& jobs, wait_options options = wait_options()) {
    static_assert(detail::is_job_range<Jobs>, "iwait takes a vector, array or span of ringlet::job");
    return detail::iwait_each(std::span{std::ranges::data(jobs), static_cast<std::size_t>(std::ranges::size(jobs))},
                              options);
}

}  // namespace ringlet
