// SPDX-License-Identifier: MIT
#include <ringlet/core/scheduler.hpp>
#include <ringlet/net/drain.hpp>

namespace ringlet::net {
namespace detail {
namespace {

void cancel_wait(job_block& job) noexcept {
    job.link.unlink();
    job.res = ringlet::detail::wait_cancelled;
    ringlet::detail::this_thread_scheduler->make_ready(job);
}
constexpr ringlet::detail::wait_kind waiting{.name = drain_wait::name, .cancel = &cancel_wait, .describe = nullptr};

}  // namespace

bool drain_wait::start(job_block& job) noexcept {
    if (drain_->begun()) return ringlet::detail::suspend_once(job);
    job.link.insert_before(drain_->waiters_);
    job.wait_object = drain_;
    job.waiting = &waiting;
    return true;
}

void drain_watch::enter(drain& what, job_block& job) noexcept {
    link.insert_before(what.watches_);
    scope.enter(job);
    if (what.begun()) scope.cancel();
}

}  // namespace detail

drain::~drain() {
    ringlet::detail::require(waiters_.next == &waiters_ && watches_.next == &watches_,
                             "a drain was destroyed while a job waits for it: let it outlive serve and its handlers");
}

void drain::begin() noexcept {
    if (std::exchange(begun_, true)) return;
    while (waiters_.next != &waiters_) {
        auto& job = detail::job_block::from_link(*waiters_.next);
        job.link.unlink();
        ringlet::detail::this_thread_scheduler->make_ready(job);
    }
    // Cancelling only makes jobs ready: none leaves the list before this ends.
    for (auto* l = watches_.next; l != &watches_; l = l->next)
        reinterpret_cast<detail::drain_watch*>(l)->scope.cancel();  // link is the first member
}

}  // namespace ringlet::net
