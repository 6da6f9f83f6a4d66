// SPDX-License-Identifier: MIT
#include <ringlet/time/cancel_all.hpp>
#include <ringlet/time/joinall.hpp>

namespace ringlet::detail {

void timed_join::begin_limit(job_block& job) {
    if (timeout_) scope_.begin(job, deadline_after(*timeout_));
}

bool timed_join::end_limit(job_block& job) noexcept {
    if (timeout_) scope_.end();
    if (job.res != wait_cancelled) return true;
    return timeout_ && scope_.cancel_called() && !job.has(job_block::cancel_pending);
}

bool joinall_wait::begin(job_block& job, std::coroutine_handle<> self) {
    begin_limit(job);
    return leaf::begin(job, self);
}

result<std::size_t> joinall_wait::over(job_block& job) noexcept {
    if (end_limit(job)) return outcome(job);
    return leaf::end(job);
}

result<std::size_t> joinall_wait::outcome(job_block&) noexcept {
    const tally all = ended();
    first_failed_ = all.first_failed;
    return all.done;
}

std::size_t joinall_wait::resume(job_block& job) {
    const result<std::size_t> done = over(job);
    if (!done) raise(done.error());
    if (raise_ && first_failed_) std::rethrow_exception(first_failed_->failure);
    return *done;
}

bool cancel_all_wait::begin(job_block& job, std::coroutine_handle<> self) {
    cancel_jobs();
    begin_limit(job);
    return leaf::begin(job, self);
}

result<std::size_t> cancel_all_wait::end(job_block& job) noexcept {
    if (end_limit(job)) return outcome(job);
    return leaf::end(job);
}

void cancel_all_wait::cancel_jobs() noexcept {
    for (std::size_t i = 0; i < size(); ++i) request_cancel(jobs()[i].block());
}

}  // namespace ringlet::detail
