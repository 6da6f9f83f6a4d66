// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/job.hpp>
#include <ringlet/time/joinall.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <ranges>
#include <string_view>

namespace ringlet {
namespace detail {

class [[nodiscard("nothing happens until this is awaited")]] cancel_all_wait final
    : public leaf<cancel_all_wait, std::size_t>,
      public timed_join {
public:
    cancel_all_wait(job_handle* jobs, std::size_t size, std::optional<std::chrono::nanoseconds> timeout) noexcept
        : timed_join{jobs, size, size, timeout} {}

    static constexpr std::string_view name = "cancel_all";
    bool begin(job_block& job, std::coroutine_handle<> self);
    result<std::size_t> end(job_block& job) noexcept;
    result<std::size_t> outcome(job_block&) noexcept { return ended().done; }
    std::size_t resume(job_block& job) {
        const result<std::size_t> done = end(job);
        if (!done) raise(done.error());
        return *done;
    }

private:
    void cancel_jobs() noexcept;
};

}  // namespace detail

/// Asks all jobs to end, and waits until they have, or until the timeout. As gevent's killall. Who does not want to wait
/// calls job::cancel on each.
///
/// Result:    how many of the jobs have ended; less than all when the timeout came first, which is no error.
/// Errors:    `cancelled` when the waiter is cancelled: the jobs have been asked to end all the same. A job that fails
///            instead counts as seen; job::exception tells.
/// Lifetime:  borrows `jobs` until the co_await ends. A job cannot be among those that it cancels in this way.
/// Thread:    the loop's thread only.
template <std::ranges::contiguous_range Jobs>
auto cancel_all(Jobs& jobs, std::optional<std::chrono::nanoseconds> timeout = std::nullopt) noexcept {
    static_assert(detail::is_job_range<Jobs>, "cancel_all takes a vector, array or span of ringlet::job");
    return detail::cancel_all_wait{std::ranges::data(jobs), static_cast<std::size_t>(std::ranges::size(jobs)), timeout};
}

}  // namespace ringlet
