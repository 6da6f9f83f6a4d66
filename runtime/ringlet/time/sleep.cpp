// SPDX-License-Identifier: MIT
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timer_queue.hpp>

namespace ringlet::detail {
namespace {

constexpr wait_kind sleeping{.name = sleep_wait::name, .cancel = &cancel_timer_wait, .describe = nullptr};

}  // namespace

void wait_for_timer(job_block& job, deadline when, const wait_kind& kind) {
    this_thread_scheduler->timers->arm(job.timer, timer_owner::sleeping_job, when);
    job.waiting = &kind;
}

void cancel_timer_wait(job_block& job) noexcept {
    this_thread_scheduler->timers->disarm(job.timer);
    job.res = wait_cancelled;
    this_thread_scheduler->make_ready(job);
}

bool sleep_wait::start(job_block& job) {
    if (relative_ && count_ <= 0) return suspend_once(job);
    const deadline when =
        relative_ ? deadline_after(std::chrono::nanoseconds{count_}) : deadline{clock::duration{count_}};
    wait_for_timer(job, when, sleeping);
    return true;
}

}  // namespace ringlet::detail
