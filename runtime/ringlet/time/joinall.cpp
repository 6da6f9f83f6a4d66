// SPDX-License-Identifier: MIT
#include <ringlet/time/joinall.hpp>

namespace ringlet::detail {

bool joinall_wait::begin(job_block& job, std::coroutine_handle<> self) {
    if (timeout_) scope_.begin(job, deadline_after(*timeout_));
    return leaf::begin(job, self);
}

result<std::size_t> joinall_wait::end(job_block& job) noexcept {
    if (timeout_) {
        scope_.end();
        // Our own timeout is not an error: the jobs that have ended are the result.
        if (job.res == wait_cancelled && scope_.cancel_called() && !job.has(job_block::cancel_pending)) return ended();
    }
    return leaf::end(job);
}

std::size_t joinall_wait::resume(job_block& job) {
    const result<std::size_t> done = end(job);
    if (!done) raise(done.error());
    if (raise_) {
        for (std::size_t i = 0; i < size(); ++i) {
            const job_block& target = jobs()[i].block();
            if (target.has(job_block::done) && target.failure && !is_cancelled(target.failure))
                std::rethrow_exception(target.failure);
        }
    }
    return *done;
}

}  // namespace ringlet::detail
