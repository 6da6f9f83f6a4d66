// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/job.hpp>
#include <ringlet/time/limit_scope.hpp>

#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

namespace ringlet {

/// How joinall waits. (A class with a constructor: g++ 12 destroys aggregates in a co_await expression twice.)
struct join_options {
    join_options() noexcept {}
    join_options(std::optional<std::chrono::nanoseconds> timeout_or_none,
                 std::size_t count_wanted = std::numeric_limits<std::size_t>::max(), bool raise_failure = true) noexcept
        : timeout{timeout_or_none}, count{count_wanted}, raise{raise_failure} {}
    /// At most this long; no limit when absent.
    std::optional<std::chrono::nanoseconds> timeout;
    /// Until so many have ended.
    std::size_t count = std::numeric_limits<std::size_t>::max();
    /// Throw the first failure, in the order of the jobs, among those that have ended.
    bool raise = true;
};

namespace detail {

template <class Jobs>
inline constexpr bool is_job_range = std::is_base_of_v<job_handle, std::ranges::range_value_t<Jobs>> &&
                                     sizeof(std::ranges::range_value_t<Jobs>) == sizeof(job_handle);

/// A join with a timeout. Base of joinall, wait and cancel_all.
class timed_join : protected join_wait {
public:
    timed_join(job_handle* jobs, std::size_t size, std::size_t count,
               std::optional<std::chrono::nanoseconds> timeout) noexcept
        : join_wait{jobs, size, count}, timeout_{timeout} {}
    bool start(job_block& job) noexcept { return join_wait::start(job); }

protected:
    void begin_limit(job_block& job);
    /// Whether the wait is over by right: its own timeout is no error.
    bool end_limit(job_block& job) noexcept;

private:
    std::optional<std::chrono::nanoseconds> timeout_;
    limit_scope scope_;
};

class [[nodiscard("nothing happens until this is awaited")]] joinall_wait final
    : public leaf<joinall_wait, std::size_t>,
      public timed_join {
public:
    joinall_wait(job_handle* jobs, std::size_t size, const join_options& options) noexcept
        : timed_join{jobs, size, options.count, options.timeout}, raise_{options.raise} {}

    static constexpr std::string_view name = "joinall";
    bool begin(job_block& job, std::coroutine_handle<> self);
    result<std::size_t> outcome(job_block&) noexcept;
    std::size_t resume(job_block& job);
    result<std::size_t> end(job_block&) noexcept = delete;  // failures are not only error codes

private:
    result<std::size_t> over(job_block& job) noexcept;

    bool raise_;
    job_block* first_failed_ = nullptr;
};

}  // namespace detail

/// Waits until all jobs (or `count` of them) have ended, or until the timeout. It answers for them: their failures are thrown,
/// or count as seen. `wait` only tells which have ended.
///
/// Result:    how many of the jobs have ended; less than asked for when the timeout came first, which is no error.
/// Errors:    with `raise`, the first failure, in the order of the jobs, among those that have ended (others of them
///            count as seen); `cancelled` when the waiter is cancelled, which does not cancel the jobs.
/// Lifetime:  borrows `jobs` until the co_await ends.
template <std::ranges::contiguous_range Jobs>
auto joinall(Jobs& jobs, const join_options& options = join_options()) noexcept {
    static_assert(detail::is_job_range<Jobs>, "joinall takes a vector, array or span of ringlet::job");
    return detail::joinall_wait{std::ranges::data(jobs), static_cast<std::size_t>(std::ranges::size(jobs)), options};
}

}  // namespace ringlet
