// SPDX-License-Identifier: MIT
#include <ringlet/core/cancellation.hpp>
#include <ringlet/core/detail/join.hpp>
#include <ringlet/core/detail/promise.hpp>
#include <ringlet/core/scheduler.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace ringlet::detail {
namespace {

// An address that no frame can have.
alignas(16) constinit char end_marker = 0;

void finish(scheduler& loop, job_block& job, std::coroutine_handle<> root) noexcept {
    job.type->finish(job, root);
    job.set(job_block::done);
    if (job.joiner) job.joiner->job_done(loop, job);
    job.group->ended(job);
    if (job.has(job_block::handle_dropped)) job.type->destroy(&job);
}

void describe(const job_block& job, std::string& out) {
    out += job.name ? *job.name : fmt::format("job {}", fmt::ptr(&job));
    if (!job.has(job_block::started)) {
        out += ": not started";
    } else if (!job.waiting) {
        out += ": ready to run";
    } else {
        out += fmt::format(": waits for {}", job.waiting->name);
        if (job.waiting->describe) job.waiting->describe(job, out);
        const std::source_location where = await_site(job.resume_point);
        if (where.line() != 0) out += fmt::format(" at {}:{}", where.file_name(), where.line());
    }
    out += '\n';
}

}  // namespace

std::coroutine_handle<> scheduler::end_of_job() noexcept { return std::coroutine_handle<>::from_address(&end_marker); }

void scheduler::resume(job_block& job) {
    job_ = &job;
    if (!job.has(job_block::started)) {
        job.set(job_block::started);
        if (job.has(job_block::cancel_pending)) {  // as in gevent: what is cancelled before it starts never runs
            job.failure = std::make_exception_ptr(cancelled{});
            discarding = true;
            job.resume_point.destroy();
            discarding = false;
            finish(*this, job, nullptr);
            job_ = nullptr;
            return;
        }
    }
    std::coroutine_handle<> handle = job.resume_point;
    do {
        next = nullptr;
        nesting = 0;
        handle.resume();
        handle = next;
        if (handle == end_of_job()) {
            finish(*this, job, finished_root);
            break;
        }
    } while (handle);
    job_ = nullptr;
}

std::size_t scheduler::run_ready(std::size_t jobs_max) {
    const std::size_t count = std::min(ready_count_, jobs_max);
    for (std::size_t i = 0; i < count; ++i) {
        job_block& job = *ready_head_;
        ready_head_ = job.next_ready;
        if (ready_head_)
            __builtin_prefetch(ready_head_->resume_point.address());
        else
            ready_tail_ = nullptr;
        --ready_count_;
        resume(job);
    }
    return count;
}

std::string scheduler::describe_jobs() const {
    std::string out;
    for (list_link* g = groups_.next; g != &groups_; g = g->next) {
        list_link& jobs = job_group::from_registry_link(*g).jobs();
        for (list_link* l = jobs.next; l != &jobs; l = l->next) {
            out += "  ";
            describe(job_block::from_group_link(*l), out);
        }
    }
    return out;
}

}  // namespace ringlet::detail
