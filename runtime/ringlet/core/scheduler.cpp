// SPDX-License-Identifier: MIT
#include <ringlet/core/cancellation.hpp>
#include <ringlet/core/detail/join.hpp>
#include <ringlet/core/detail/promise.hpp>
#include <ringlet/core/scheduler.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <pthread.h>

namespace ringlet::detail {
namespace {

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

scheduler::scheduler() noexcept {
    // A child of fork(2) has the memory of the loop that ran, but not its side in the kernel: it may only make a new one.
    [[maybe_unused]] static const int once =
        ::pthread_atfork(nullptr, nullptr, [] { this_thread_scheduler = nullptr; });
}

void scheduler::finish(job_block& job, std::coroutine_handle<> root) noexcept {
    job.root_ended();
    if (!root) job.failure = std::make_exception_ptr(cancelled{});
    job.type->finish(job, root);
    discarding = false;
    job.set(job_block::done);
    if (job.joiner) job.joiner->job_done(*this, job);
    job.group->ended(job);
    if (job.has(job_block::handle_dropped)) job.type->destroy(&job);
}

// As in gevent, what is cancelled before it starts never runs.
void scheduler::end_unstarted(job_block& job) noexcept {
    discarding = true;
    job.resume_point.destroy();
    finish(job, nullptr);
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
