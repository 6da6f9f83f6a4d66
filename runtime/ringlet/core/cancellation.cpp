// SPDX-License-Identifier: MIT
#include <ringlet/core/cancellation.hpp>
#include <ringlet/core/detail/expiry.hpp>
#include <ringlet/core/detail/job_group.hpp>
#include <ringlet/core/error.hpp>
#include <ringlet/core/scheduler.hpp>

#include <cstdio>
#include <utility>

namespace ringlet {

cancelled::cancelled() noexcept {
    const auto* const loop = detail::this_thread_scheduler;
    if (const auto* const job = loop ? loop->current_job() : nullptr) cause_ = detail::cause_of_pending(*job);
}

namespace detail {

void refresh_pending(job_block& job) noexcept {
    bool pending = job.has(job_block::cancel_requested);
    for (const cancel_scope* scope = job.scope; scope; scope = scope->outer_) {
        if (scope->cancelled_) {
            pending = true;
            break;
        }
        if (scope->kind_ == cancel_scope::kind::shield) {
            pending = false;
            break;
        }
    }
    if (!pending) {
        job.clear(job_block::cancel_pending);
        return;
    }
    const bool was_pending = job.has(job_block::cancel_pending);
    job.set(job_block::cancel_pending);
    if (!was_pending && job.waiting) job.waiting->cancel(job);
}

std::shared_ptr<expiry> cause_of_pending(const job_block& job) noexcept {
    if (!job.has(job_block::cancel_pending)) return nullptr;
    const cancel_scope* cause = nullptr;
    bool shielded = false;
    for (const cancel_scope* scope = job.scope; scope && !shielded; scope = scope->outer_) {
        if (scope->cancelled_) cause = scope;
        shielded = scope->kind_ == cancel_scope::kind::shield;
    }
    if (!shielded && job.has(job_block::cancel_requested)) return nullptr;
    return cause && cause->expiry_ ? cause->expiry_->shared_from_this() : nullptr;
}

void request_cancel(job_block& job) noexcept {
    if (job.has(job_block::done) || job.has(job_block::cancel_requested)) return;
    job.set(job_block::cancel_requested);
    refresh_pending(job);
}

void cancel_scope::enter(job_block& job) noexcept {
    job_ = &job;
    outer_ = std::exchange(job.scope, this);
    if (kind_ == kind::shield || cancelled_) refresh_pending(job);
}

void cancel_scope::leave() noexcept {
    job_block& job = *std::exchange(job_, nullptr);
    require(job.scope == this, "cancel scopes must end in the opposite order of their beginning");
    job.scope = outer_;
    if (kind_ == kind::shield || cancelled_) refresh_pending(job);
}

void cancel_scope::cancel() noexcept {
    if (std::exchange(cancelled_, true)) return;
    if (job_) refresh_pending(*job_);
}

job_group::job_group(scheduler& owner, policy how) noexcept
    : owner_{&owner}, parent_{owner.current_job()}, policy_{how} {
    registry_link_.insert_before(owner.groups());
}

job_group::~job_group() {
    require(empty(), "a group of jobs was destroyed while jobs of it still run: await its end first");
    registry_link_.unlink();
}

void job_group::judge(job_block& job) noexcept {
    if (!first_ended_) first_ended_ = &job;
    const bool failed = job.failure != nullptr && !is_cancelled(job.failure);
    if (on_ended) {
        job.set(job_block::joined);
        on_ended(*this, job);
    } else if (policy_ != policy::keep_failures) {
        job.set(job_block::joined);  // the owner of the group sees the failure
        if (failed) fail(job.failure);
        if (policy_ == policy::first_end_cancels) cancel_all();
    } else if (failed && job.has(job_block::handle_dropped)) {
        fail(job.failure);
    }
}

void job_group::wake_waiter() noexcept { owner_->make_ready(*std::exchange(waiter, nullptr)); }

void job_group::fail(std::exception_ptr error) noexcept {
    if (!failure_)
        failure_ = std::move(error);
    else if (policy_ == policy::keep_failures && error != failure_)
        std::fprintf(stderr, "ringlet: another job failed as well: %s\n", describe(error).c_str());
    if (body_) body_->cancel();
    cancel_all();
}

void job_group::cancel_all() noexcept {
    if (std::exchange(cancelling_, true)) return;
    // A job that waits for children passes the request on to their group. Groups nest as deep as the program likes, so
    // they queue up here instead of calling each other.
    scheduler& loop = *owner_;
    next_to_cancel_ = std::exchange(loop.groups_to_cancel, this);
    if (loop.cancelling_groups) return;
    loop.cancelling_groups = true;
    while (job_group* const group = loop.groups_to_cancel) {
        loop.groups_to_cancel = group->next_to_cancel_;
        // Cancelling only marks jobs and makes them ready: none runs, so none leaves the list, before this ends.
        for (list_link* l = group->jobs_.next; l != &group->jobs_; l = l->next)
            request_cancel(job_block::from_group_link(*l));
    }
    loop.cancelling_groups = false;
}

}  // namespace detail
}  // namespace ringlet
