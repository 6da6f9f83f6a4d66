// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/job_block.hpp>
#include <ringlet/core/error.hpp>
#include <ringlet/core/scheduler.hpp>

#include <cstddef>
#include <cstdint>

namespace ringlet::detail {

/// Jobs that wait for the same thing, first come, first served. Waking one and giving it what it waits for is one step: a
/// cancellation that comes after finds the job ready, and what it was given is delivered.
class wait_list {
public:
    wait_list() noexcept = default;
    wait_list(const wait_list&) = delete;
    wait_list& operator=(const wait_list&) = delete;
    ~wait_list() {
        require(empty(),
                "a lock, event, semaphore, condition, queue or pool was destroyed while a job waits for it: cancel and "
                "join "
                "that job first");
    }

    bool empty() const noexcept { return jobs_.next == &jobs_; }
    job_block* first() noexcept { return empty() ? nullptr : &job_block::from_link(*jobs_.next); }

    /// `object`: what the kind's functions, and who wakes the job, get by `wait_object`.
    void add(job_block& job, const wait_kind& kind, void* object) noexcept {
        job.link.insert_before(jobs_);
        job.wait_object = object;
        job.waiting = &kind;
    }
    /// Wakes one that waits.
    static void wake(job_block& job) noexcept {
        job.link.unlink();
        this_thread_scheduler->make_ready(job);
    }
    /// Wakes the first, if any. Result: whether there was one.
    bool wake_first() noexcept {
        job_block* const job = first();
        if (!job) return false;
        wake(*job);
        return true;
    }
    void wake_all() noexcept {
        while (wake_first()) {
        }
    }

    /// wait_kind::cancel of every such wait.
    static void cancel(job_block& job) noexcept {
        job.res = wait_cancelled;
        wake(job);
    }

private:
    list_link jobs_{&jobs_, &jobs_};
};

}  // namespace ringlet::detail
