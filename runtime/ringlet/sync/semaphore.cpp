// SPDX-License-Identifier: MIT
#include <ringlet/sync/semaphore.hpp>

#include <stdexcept>

namespace ringlet {
namespace detail {

bool acquire_wait::start(job_block& job) noexcept {
    static constexpr wait_kind waiting{.name = name, .cancel = &wait_list::cancel, .describe = nullptr};
    if (semaphore_->try_acquire()) return suspend_once(job);
    semaphore_->waiters_.add(job, waiting, semaphore_);
    return true;
}

}  // namespace detail

void semaphore::release(std::size_t count) {
    if (count > permits_max_ - permits_)
        throw std::logic_error{"a bounded semaphore was released more often than it was acquired"};
    for (; count > 0 && waiters_.wake_first(); --count) {
    }
    permits_ += count;
}

}  // namespace ringlet
