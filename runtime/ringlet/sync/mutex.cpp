// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/job_group.hpp>
#include <ringlet/core/detail/plain_writer.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/core/scheduler.hpp>
#include <ringlet/sync/mutex.hpp>

#include <string>

namespace ringlet {
std::optional<mutex_guard> mutex::try_lock() noexcept {
    if (locked_) return std::nullopt;
    locked_ = true;
    note_holder(detail::this_thread_scheduler ? detail::this_thread_scheduler->current_job() : nullptr);
    return mutex_guard{*this};
}

void mutex::describe(const detail::job_block& waiting, std::string& out) {
    const auto& self = *static_cast<const mutex*>(waiting.wait_object);
    if (!self.holder_) return;
    if (!detail::is_alive(self.holder_) || self.holder_->serial_if_given() != self.holder_serial_)
        out += " that was locked by a job that has ended";  // its guard may be anywhere
    else if (self.holder_ == &waiting)
        out += " that it holds itself";
    else
        out += " held by " + detail::label_of(*self.holder_);
}

void mutex::describe_in_handler(const detail::job_block& waiting, const detail::plain_writer& out) noexcept {
    const auto& self = *static_cast<const mutex*>(waiting.wait_object);
    if (!self.holder_) return;
    if (!detail::is_alive(self.holder_) || self.holder_->serial_if_given() != self.holder_serial_) {
        out.text(" that was locked by a job that has ended");
    } else if (self.holder_ == &waiting) {
        out.text(" that it holds itself");
    } else {
        out.text(" held by ");
        out.label(*self.holder_);
    }
}

}  // namespace ringlet
