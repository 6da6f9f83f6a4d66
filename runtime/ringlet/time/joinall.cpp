// SPDX-License-Identifier: MIT
#include <ringlet/time/joinall.hpp>

namespace ringlet::detail {

bool joinall_wait::begin(job_block& job, std::coroutine_handle<> self) {
    if (timeout_) scope_.begin(job, deadline_after(*timeout_));
    return leaf::begin(job, self);
}

result<std::size_t> joinall_wait::over(job_block& job) noexcept {
    if (timeout_) {
        scope_.end();
        // Our own timeout is not an error: the jobs that have ended are the result.
        if (job.res == wait_cancelled && scope_.cancel_called() && !job.has(job_block::cancel_pending))
            return outcome(job);
    }
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

}  // namespace ringlet::detail
