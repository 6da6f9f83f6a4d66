// SPDX-License-Identifier: MIT
#include <ringlet/sync/mutex.hpp>

#include <string>

namespace ringlet {
std::optional<mutex_guard> mutex::try_lock() noexcept {
    if (locked_) return std::nullopt;
    locked_ = true;
    holder_ = detail::this_thread_scheduler ? detail::this_thread_scheduler->current_job() : nullptr;
    return mutex_guard{*this};
}

void mutex::describe(const detail::job_block& waiting, std::string& out) {
    const auto& self = *static_cast<const mutex*>(waiting.wait_object);
    if (self.holder_ == &waiting)
        out += " that it holds itself";
    else if (self.holder_ && self.holder_->name)
        out += " held by " + *self.holder_->name;
}

}  // namespace ringlet
