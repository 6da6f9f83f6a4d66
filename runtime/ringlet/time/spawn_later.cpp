// SPDX-License-Identifier: MIT
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/spawn_later.hpp>
#include <ringlet/time/timer_queue.hpp>

namespace ringlet::detail {
namespace {

constexpr wait_kind not_yet{.name = "its time to start", .cancel = &cancel_timer_wait, .describe = nullptr};

}  // namespace

void arm_start(job_block& made, deadline when) {
    current_scheduler().timers->arm(made.timer, timer_owner::sleeping_job, when);
}

void await_start(job_block& made) noexcept {
    made.waiting = &not_yet;
    if (made.has(job_block::cancel_pending)) cancel_timer_wait(made);
}

}  // namespace ringlet::detail
