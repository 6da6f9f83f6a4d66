// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/job_group.hpp>
#include <ringlet/core/scheduler.hpp>
#include <ringlet/sync/mutex.hpp>

#include <string>

namespace ringlet {
std::optional<mutex_guard> mutex::try_lock() noexcept {
    if (locked_) return std::nullopt;
    locked_ = true;
    holder_ = detail::this_thread_scheduler ? detail::this_thread_scheduler->current_job() : nullptr;
    return mutex_guard{*this};
}

namespace {

// A guard may outlive the job that locked: then who holds the mutex cannot be told.
bool is_alive(const detail::job_block* wanted) noexcept {
    using namespace detail;
    list_link& groups = this_thread_scheduler->groups();
    for (list_link* g = groups.next; g != &groups; g = g->next) {
        list_link& jobs = job_group::from_registry_link(*g).jobs();
        for (list_link* j = jobs.next; j != &jobs; j = j->next)
            if (&job_block::from_group_link(*j) == wanted) return true;
    }
    return false;
}

}  // namespace

void mutex::describe(const detail::job_block& waiting, std::string& out) {
    const auto& self = *static_cast<const mutex*>(waiting.wait_object);
    if (self.holder_ == &waiting)
        out += " that it holds itself";
    else if (self.holder_ && is_alive(self.holder_) && self.holder_->name)
        out += " held by " + *self.holder_->name;
}

}  // namespace ringlet
