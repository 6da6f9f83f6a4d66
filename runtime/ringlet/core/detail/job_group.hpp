// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/job_block.hpp>

#include <cstddef>
#include <exception>
#include <utility>

namespace ringlet::detail {

class scheduler;
void request_cancel(job_block& job) noexcept;

/// The jobs that one owner waits for. The root group of a loop owns every job of `spawn`; a task_group, when_all and
/// first_of each own theirs.
class job_group {
    list_link registry_link_;  // first member: from_registry_link

public:
    enum class policy {
        keep_failures,     ///< a failure waits in the job's handle; it comes here when the handle is dropped unjoined
        first_cancels,     ///< the first failure cancels the rest, whoever holds the handle
        first_end_cancels  ///< the first end, good or bad, cancels the rest
    };

    job_group(scheduler& owner, policy how) noexcept;
    job_group(const job_group&) = delete;
    job_group& operator=(const job_group&) = delete;
    ~job_group();

    void add(job_block& job) noexcept {
        job.group = this;
        job.group_link.insert_before(jobs_);
        ++size_;
        if (cancelling_) [[unlikely]]
            request_cancel(job);
    }
    /// Called once by each job when its root frame is gone.
    void ended(job_block& job) noexcept {
        job.group_link.unlink();
        job.group = nullptr;
        --size_;
        if (policy_ != policy::keep_failures || job.failure) [[unlikely]]
            judge(job);
        if (empty() && waiter) wake_waiter();
    }
    /// Records `error` if it is the first; the owner is told by cancelling its scope and every job. Of further ones those
    /// of dropped jobs go to stderr. Those of siblings are dropped: most come of the first, or of the cancellation.
    void fail(std::exception_ptr error) noexcept;
    void cancel_all() noexcept;

    /// Forgets that it was cancelled: for the root group, which serves one `run` after another.
    void reset() noexcept {
        cancelling_ = false;
        first_ended_ = nullptr;
        failure_ = nullptr;
    }

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    bool cancelling() const noexcept { return cancelling_; }
    scheduler& owner() const noexcept { return *owner_; }
    list_link& jobs() noexcept { return jobs_; }
    /// Who made the group, for reports; null for the root.
    const job_block* parent() const noexcept { return parent_; }
    std::exception_ptr take_failure() noexcept { return std::exchange(failure_, nullptr); }
    bool failed() const noexcept { return failure_ != nullptr; }
    job_block* first_ended() const noexcept { return first_ended_; }

    /// For an owner that ends badly: forgets the jobs, whose frames and blocks leak.
    void abandon() noexcept {
        jobs_.prev = jobs_.next = &jobs_;
        size_ = 0;
    }

    /// The scope of the code that spawns into this group: a failing job cancels it too.
    void watch(cancel_scope& body) noexcept { body_ = &body; }
    void unwatch() noexcept { body_ = nullptr; }

    /// When set, called as each job of the group ends; it then answers for failures, which do not go to the group. They
    /// count as seen unless it clears `joined` again.
    /// The job is out of the group already, and its block goes when this returns if nobody holds its handle.
    void (*on_ended)(job_group&, job_block&) noexcept = nullptr;

    // For the leaf that waits until the group is empty.
    job_block* waiter = nullptr;
    bool waiter_cancelled = false;  ///< the jobs were cancelled because the one who waits for them was

    static job_group& from_registry_link(list_link& l) noexcept { return reinterpret_cast<job_group&>(l); }

private:
    void judge(job_block& job) noexcept;
    void wake_waiter() noexcept;

    list_link jobs_{&jobs_, &jobs_};
    scheduler* owner_;
    const job_block* parent_;
    job_group* next_to_cancel_ = nullptr;
    cancel_scope* body_ = nullptr;
    std::exception_ptr failure_;
    job_block* first_ended_ = nullptr;
    std::size_t size_ = 0;
    policy policy_;
    bool cancelling_ = false;
};

}  // namespace ringlet::detail
