// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/job_block.hpp>
#include <ringlet/core/detail/job_group.hpp>
#include <ringlet/core/error.hpp>

#include <coroutine>
#include <cstddef>
#include <source_location>
#include <string>

namespace ringlet::detail {

class timer_queue;

/// The ready queue and the run loop of jobs. It knows no kernel and no clock: `io::loop` feeds it.
/// Thread: everything here belongs to the thread that runs the loop.
class scheduler {
public:
    scheduler() noexcept = default;
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;

    /// Deeper starts than this go through the run loop, so that the stack stays bounded in every build type.
    static constexpr unsigned nested_starts_max = 32;

    void make_ready(job_block& job) noexcept {
        job.waiting = nullptr;
        job.next_ready = nullptr;
        if (ready_tail_)
            ready_tail_->next_ready = &job;
        else
            ready_head_ = &job;
        ready_tail_ = &job;
        ++ready_count_;
    }
    bool idle() const noexcept { return ready_head_ == nullptr; }
    std::size_t ready_count() const noexcept { return ready_count_; }

    /// Runs jobs that are ready now, at most `jobs_max`; those made ready meanwhile wait for the next call.
    std::size_t run_ready(std::size_t jobs_max);

    /// The job that runs now. Null between jobs.
    job_block* current_job() const noexcept { return job_; }
    job_block& running_job(std::source_location where = std::source_location::current()) const noexcept {
        require(job_ != nullptr, "this may only be awaited by a task that runs in a ringlet loop", where);
        return *job_;
    }

    job_group& root() noexcept { return root_; }
    list_link& groups() noexcept { return groups_; }

    /// Every job that has not ended, one a line: name, what it waits for, and the line of its await.
    std::string describe_jobs() const;

    // For the awaiters of tasks.
    unsigned nesting = 0;
    std::coroutine_handle<> next;
    std::coroutine_handle<> finished_root;
    bool discarding = false;  ///< the frame of a job that never ran is being destroyed, and tasks in it with it
    // For time/: armed timers, owned by the loop.
    timer_queue* timers = nullptr;

    /// Stands for "the job is over" where a continuation is expected; never resumed.
    static std::coroutine_handle<> end_of_job() noexcept;

private:
    void resume(job_block& job);

    job_block* ready_head_ = nullptr;
    job_block* ready_tail_ = nullptr;
    std::size_t ready_count_ = 0;
    job_block* job_ = nullptr;
    list_link groups_{&groups_, &groups_};
    job_group root_{*this, job_group::policy::keep_failures};
};

inline constinit thread_local scheduler* this_thread_scheduler = nullptr;

inline scheduler& current_scheduler(std::source_location where = std::source_location::current()) noexcept {
    require(this_thread_scheduler != nullptr, "no ringlet loop runs on this thread: use run() or run_main()", where);
    return *this_thread_scheduler;
}

}  // namespace ringlet::detail
