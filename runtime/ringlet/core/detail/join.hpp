// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/detail/job_group.hpp>

#include <cstddef>

namespace ringlet::detail {

/// Who is told when a job ends.
struct join_waiter {
    job_block* joiner = nullptr;
    std::size_t missing = 0;
    list_link* ended = nullptr;  ///< where set, jobs queue up here as they end

    void watch(job_block& target) noexcept;
    void job_done(scheduler& loop, job_block& job) noexcept {
        job.joiner = nullptr;
        if (ended) job.link.insert_before(*ended);
        if (--missing == 0) loop.make_ready(*joiner);
    }
};

class job_handle;

/// Waits until `count` of some jobs have ended; the result is how many have. Base of join, get and joinall.
class join_wait {
public:
    join_wait(job_handle* jobs, std::size_t size, std::size_t count) noexcept
        : jobs_{jobs}, size_{size}, count_{count < size ? count : size} {}
    join_wait(join_wait&& other) noexcept : join_wait{other.jobs_, other.size_, other.count_} {}

protected:
    struct tally {
        std::size_t done = 0;
        job_block* first_failed = nullptr;  ///< in the order of the jobs; a cancelled job has not failed
    };
    bool start(job_block& job) noexcept;
    /// Ends the wait. `seen`: the jobs that have ended count as joined.
    tally ended(bool seen = true) noexcept;
    job_handle* jobs() const noexcept { return jobs_; }
    std::size_t size() const noexcept { return size_; }

private:
    static void cancel(job_block& job) noexcept;
    void forget() noexcept;
    static const wait_kind kind;

    job_handle* jobs_;
    std::size_t size_;
    std::size_t count_;
    join_waiter waiter_;
};

/// Waits until a group is empty. Cancelling the waiter cancels the group's jobs, and the wait goes on to its end.
class [[nodiscard("nothing happens until this is awaited")]] group_end final : public leaf<group_end, void> {
public:
    explicit group_end(job_group& group) noexcept : group_{&group} {}

    static constexpr std::string_view name = "the end of its children";
    bool begin(job_block& job, std::coroutine_handle<> self) noexcept;
    bool start(job_block& job) noexcept;
    result<void> outcome(job_block&) const noexcept { return {}; }

private:
    static void cancel(job_block& job) noexcept;
    static const wait_kind kind;
    job_group* group_;
};

}  // namespace ringlet::detail
