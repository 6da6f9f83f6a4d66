// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/ended_jobs.hpp>
#include <ringlet/core/job.hpp>

#include <cstdio>
#include <utility>

namespace ringlet::detail {

void job_handle::report_unjoined(job_block& block) noexcept {
    if (block.has(job_block::joined) || is_cancelled(block.failure)) return;
    if (this_thread_scheduler)
        this_thread_scheduler->root().fail(block.failure);
    else
        std::fprintf(stderr, "ringlet: a job failed and was never joined: %s\n", describe(block.failure).c_str());
}

void discard_unstarted(job_block& block) noexcept {
    scheduler& loop = *this_thread_scheduler;
    const bool outer = std::exchange(loop.discarding, true);
    block.resume_point.destroy();
    loop.discarding = outer;
    block.type->destroy(&block);
}

const wait_kind join_wait::kind{.name = "the end of a job", .cancel = &join_wait::cancel, .describe = nullptr};

void join_waiter::watch(job_block& target) noexcept {
    require(&target.group->owner() == this_thread_scheduler, "a job can only be joined from the loop it runs in");
    require(target.joiner == nullptr, "two jobs join the same job: let one of them tell the other");
    target.joiner = this;
}

bool join_wait::start(job_block& job) noexcept {
    waiter_.joiner = &job;
    std::size_t done = 0;
    for (std::size_t i = 0; i < size_; ++i) {
        job_block& target = jobs_[i].block();
        if (target.has(job_block::done)) {
            ++done;
            continue;
        }
        require(&target != &job, "a job cannot join itself");
        waiter_.watch(target);
    }
    if (done >= count_) {
        forget();
        return suspend_once(job);
    }
    waiter_.missing = count_ - done;
    job.wait_object = this;
    job.waiting = &kind;
    return true;
}

void join_wait::forget() noexcept {
    for (std::size_t i = 0; i < size_; ++i) {
        job_block& target = jobs_[i].block();
        if (target.joiner == &waiter_) target.joiner = nullptr;
    }
}

join_wait::tally join_wait::ended(bool seen) noexcept {
    tally all;
    for (std::size_t i = 0; i < size_; ++i) {
        job_block& target = jobs_[i].block();
        if (target.has(job_block::done)) {
            if (seen) target.seen();
            ++all.done;
            if (target.failure && !all.first_failed && !is_cancelled(target.failure)) all.first_failed = &target;
        } else if (target.joiner == &waiter_) {
            target.joiner = nullptr;
        }
    }
    return all;
}

void join_wait::cancel(job_block& job) noexcept {
    static_cast<join_wait*>(job.wait_object)->forget();
    job.res = wait_cancelled;
    this_thread_scheduler->make_ready(job);
}

const wait_kind ended_jobs::next_wait::kind{.name = name, .cancel = &cancel, .describe = nullptr};

bool ended_jobs::next_wait::start(job_block& job) noexcept {
    if (of_->ended_.next != &of_->ended_) return suspend_once(job);
    of_->waiter_.joiner = &job;
    of_->waiter_.missing = 1;
    job.wait_object = of_;
    job.waiting = &kind;
    return true;
}

void ended_jobs::next_wait::cancel(job_block& job) noexcept {
    static_cast<ended_jobs*>(job.wait_object)->waiter_.missing = 0;  // nobody is to be woken
    job.res = wait_cancelled;
    this_thread_scheduler->make_ready(job);
}

const wait_kind group_end::kind{.name = group_end::name, .cancel = &group_end::cancel, .describe = nullptr};

bool group_end::begin(job_block& job, std::coroutine_handle<> self) noexcept {
    job.resume_point = self;
    job.res = 0;
    if (group_->empty()) return suspend_once(job);
    job.wait_object = group_;
    job.waiting = &kind;
    group_->waiter = &job;
    if (job.has(job_block::cancel_pending)) cancel(job);
    return true;
}

void group_end::cancel(job_block& job) noexcept {
    auto& group = *static_cast<job_group*>(job.wait_object);
    group.waiter_cancelled = true;
    group.cancel_all();
}

}  // namespace ringlet::detail
