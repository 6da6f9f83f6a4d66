// SPDX-License-Identifier: MIT
#include <ringlet/core/cancellation.hpp>
#include <ringlet/core/detail/expiry.hpp>
#include <ringlet/core/detail/join.hpp>
#include <ringlet/core/detail/promise.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/core/scheduler.hpp>

#include <utility>

#include <pthread.h>

namespace ringlet::detail {
scheduler::scheduler() noexcept {
    // A child of fork(2) has the memory of the loop that ran, but not its side in the kernel: it may only make a new one.
    [[maybe_unused]] static const int once =
        ::pthread_atfork(nullptr, nullptr, [] { this_thread_scheduler = nullptr; });
}

std::exception_ptr promise_base::left_by() noexcept {
    std::exception_ptr error = std::current_exception();
    if (const auto limit = expiry_behind(error)) error = limit->error();
    return error;
}

void scheduler::finish(job_block& job, std::coroutine_handle<> root) noexcept {
    job.root_ended();
    if (!root) job.failure = std::make_exception_ptr(cancelled{});
    job.type->finish(job, root);
    discarding = false;
    if (unwound) [[unlikely]]
        settle_chains(job);
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

}  // namespace ringlet::detail
