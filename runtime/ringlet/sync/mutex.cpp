// SPDX-License-Identifier: MIT
#include <ringlet/sync/mutex.hpp>

#include <string>

namespace ringlet {
namespace detail {

bool lock_wait::start(job_block& job) noexcept {
    static constexpr wait_kind waiting{.name = name, .cancel = &wait_list::cancel, .describe = &mutex::describe};
    if (!mutex_->locked_) {
        mutex_->locked_ = true;
        mutex_->holder_ = &job;
        return suspend_once(job);
    }
    mutex_->waiters_.add(job, waiting, mutex_);
    return true;
}

result<mutex_guard> lock_wait::outcome(job_block&) const noexcept { return mutex_guard{*mutex_}; }

}  // namespace detail

std::optional<mutex_guard> mutex::try_lock() noexcept {
    if (locked_) return std::nullopt;
    locked_ = true;
    holder_ = detail::this_thread_scheduler ? detail::this_thread_scheduler->current_job() : nullptr;
    return mutex_guard{*this};
}

void mutex::unlock() noexcept {
    holder_ = waiters_.first();
    locked_ = waiters_.wake_first();  // it is the next one's before that runs
}

void mutex::describe(const detail::job_block& waiting, std::string& out) {
    const auto& self = *static_cast<const mutex*>(waiting.wait_object);
    if (self.holder_ == &waiting)
        out += " that it holds itself";
    else if (self.holder_ && self.holder_->name)
        out += " held by " + *self.holder_->name;
}

}  // namespace ringlet
