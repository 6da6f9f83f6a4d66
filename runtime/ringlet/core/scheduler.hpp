// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/job_block.hpp>
#include <ringlet/core/detail/job_group.hpp>
#include <ringlet/core/error.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <source_location>
#include <string>

namespace ringlet::detail {

class timer_queue;

/// The ready queue and the run loop of jobs. It knows no kernel and no clock: `io::loop` feeds it.
/// Thread: everything here belongs to the thread that runs the loop.
class scheduler {
public:
    scheduler() noexcept;
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;

    /// Deeper starts than this go through the run loop, so that the stack stays bounded in every build type.
    static constexpr unsigned nested_starts_max = 32;

    void make_ready(job_block& job) noexcept {
        job.waiting = nullptr;
        if (ready_head_)
            ready_tail_->next_ready = &job;
        else
            ready_head_ = &job;
        ready_tail_ = &job;
        if constexpr (with_eyes) ++ready_count_;
    }
    bool idle() const noexcept { return ready_head_ == nullptr; }
    /// Whether the job that runs may go on where it would else be made ready: it would be the next to run. That counts as a
    /// resumption, so that the loop gets its turns.
    bool may_go_on() noexcept {
        if (ready_head_ || resumptions_left_ == 0) return false;
        --resumptions_left_;
        return true;
    }
    std::size_t ready_count() const noexcept { return ready_count_; }
    /// The job that runs next; not while idle.
    const job_block& next_ready() const noexcept { return *ready_head_; }

    /// Runs ready jobs in the order in which they became so, until none is left or `resumptions_max` have run.
    void run_ready(std::size_t resumptions_max);

    /// The job that runs now. Null between jobs.
    job_block* current_job() const noexcept { return job_; }
    job_block& running_job(std::source_location where = std::source_location::current()) const noexcept {
        require(job_ != nullptr, "this may only be awaited by a task that runs in a ringlet loop", where);
        return *job_;
    }

    job_group& root() noexcept { return root_; }
    list_link& groups() noexcept { return groups_; }

    /// The tree of the jobs that have not ended: each with its name, what it waits for, and the awaits that it stands in,
    /// innermost first; under it the jobs of the groups that it made.
    std::string describe_jobs() const;

    // For the awaiters of tasks.
    std::coroutine_handle<> next;
    unsigned nesting = 0;
    std::coroutine_handle<> finished_root;
    /// Milliseconds, roughly: for how long a job has waited.
    std::uint32_t now_ms = 0;
    bool discarding = false;  ///< a frame that failed or never ran is being destroyed, and unawaited tasks with it
    bool unwound = false;     ///< some job has failures to settle when it ends: see settle_chains
    // For job_group::cancel_all.
    job_group* groups_to_cancel = nullptr;
    bool cancelling_groups = false;
    // For time/: armed timers, owned by the loop.
    timer_queue* timers = nullptr;

    /// Stands for "the job is over" where a continuation is expected; never resumed.
    static std::coroutine_handle<> end_of_job() noexcept { return std::coroutine_handle<>::from_address(&end_marker); }

private:
    void finish(job_block& job, std::coroutine_handle<> root) noexcept;
    void end_unstarted(job_block& job) noexcept;

    alignas(16) static inline constinit char end_marker = 0;  // an address that no frame can have

    job_block* ready_head_ = nullptr;
    job_block* ready_tail_ = nullptr;  // says nothing while there is no head; nor does its own next_ready ever
    std::size_t ready_count_ = 0;
    std::size_t resumptions_left_ = 0;  // of this run_ready
    job_block* job_ = nullptr;
    list_link groups_{&groups_, &groups_};
    job_group root_{*this, job_group::policy::keep_failures};
};

inline constinit thread_local scheduler* this_thread_scheduler = nullptr;

// Inline: the loop's turn is this and little else.
inline void scheduler::run_ready(std::size_t resumptions_max) {
    resumptions_left_ = resumptions_max;
    while (ready_head_ && resumptions_left_ > 0) {
        --resumptions_left_;
        job_block& job = *ready_head_;
        if constexpr (with_eyes) --ready_count_;
        if (&job != ready_tail_) {
            ready_head_ = job.next_ready;
            __builtin_prefetch(ready_head_->resume_point.address());
        } else {
            ready_head_ = nullptr;
        }

        job_ = &job;
        if (!job.has(job_block::started)) {
            job.set(job_block::started);
            if (job.has(job_block::cancel_pending)) [[unlikely]] {
                end_unstarted(job);
                continue;
            }
        }
        std::coroutine_handle<> handle = job.resume_point;
        do {
            next = nullptr;
            nesting = 0;
            handle.resume();
            handle = next;
            if (handle == end_of_job()) {
                finish(job, finished_root);
                break;
            }
            if (with_eyes && !handle) job.cqe_flags = now_ms;  // nothing uses these until a completion comes
        } while (handle);
    }
    job_ = nullptr;
}

inline scheduler& current_scheduler(std::source_location where = std::source_location::current()) noexcept {
    require(this_thread_scheduler != nullptr, "no ringlet loop runs on this thread: use run() or run_main()", where);
    return *this_thread_scheduler;
}

}  // namespace ringlet::detail
