// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/job_group.hpp>
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

namespace {

bool is_alive(const detail::job_block* wanted, std::uint32_t serial) noexcept {
    using namespace detail;
    list_link& groups = this_thread_scheduler->groups();
    for (list_link* g = groups.next; g != &groups; g = g->next) {
        list_link& jobs = job_group::from_registry_link(*g).jobs();
        for (list_link* j = jobs.next; j != &jobs; j = j->next)
            if (&job_block::from_group_link(*j) == wanted) return wanted->serial_if_given() == serial;
    }
    return false;
}

}  // namespace

void mutex::describe(const detail::job_block& waiting, std::string& out) {
    const auto& self = *static_cast<const mutex*>(waiting.wait_object);
    if (!self.holder_) return;
    if (!is_alive(self.holder_, self.holder_serial_))
        out += " that was locked by a job that has ended";  // its guard may be anywhere
    else if (self.holder_ == &waiting)
        out += " that it holds itself";
    else
        out += " held by " + detail::label_of(*self.holder_);
}

}  // namespace ringlet
