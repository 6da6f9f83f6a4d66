// SPDX-License-Identifier: MIT
#include <ringlet/sync/condition.hpp>

#include <exception>

namespace ringlet {
namespace detail {

bool condition_wait::start(job_block& job) noexcept {
    static constexpr wait_kind waiting{.name = name, .cancel = &wait_list::cancel, .describe = nullptr};
    condition_->waiters_.add(job, waiting, condition_);
    return true;
}

}  // namespace detail

task<> condition::wait(mutex_guard& held) {
    mutex* const lock = held.mutex();
    detail::require(lock != nullptr, "condition::wait needs a guard that holds its mutex");
    held.unlock();
    std::exception_ptr cancellation;
    try {
        co_await detail::condition_wait{*this};
    } catch (const cancelled&) {
        cancellation = std::current_exception();
    }
    held = co_await shield(lock->lock());
    if (cancellation) std::rethrow_exception(cancellation);
}

}  // namespace ringlet
