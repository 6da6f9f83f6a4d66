// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/cancellation.hpp>
#include <ringlet/core/detail/job_block.hpp>
#include <ringlet/core/scheduler.hpp>

#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace ringlet {

/// What `current` gives: the job that runs now, as itself sees it. It neither copies nor moves, so that it stays in the
/// frame of the job that it speaks of, and cannot outlive it; others may borrow it as they may borrow any local.
/// Thread: the loop's thread only.
class [[nodiscard("it only tells and asks")]] current_job {
public:
    current_job(const current_job&) = delete;
    current_job& operator=(const current_job&) = delete;

    std::string_view name() const noexcept { return block_->name_or_none(); }
    void set_name(std::string name) { block_->set_name(std::move(name)); }

    /// Asks the job to end, as job::cancel: every await that it does from now on raises `cancelled`.
    void cancel() noexcept { detail::request_cancel(*block_); }
    /// Whether its next await will raise `cancelled`: for long work between two awaits.
    bool cancel_pending() const noexcept { return block_->has(detail::job_block::cancel_pending); }

private:
    friend current_job current(std::source_location) noexcept;
    explicit current_job(detail::job_block& block) noexcept : block_{&block} {}
    detail::job_block* block_;
};

/// The job that runs now. As gevent's getcurrent. A coroutine that is awaited runs in the job of who awaits it.
/// Thread: the loop's thread, in a job; elsewhere it is a programmer error.
inline current_job current(std::source_location where = std::source_location::current()) noexcept {
    detail::job_block* const running =
        detail::this_thread_scheduler ? detail::this_thread_scheduler->current_job() : nullptr;
    detail::require(running != nullptr, "no job runs here: current() is for tasks in a ringlet loop", where);
    return current_job{*running};
}

}  // namespace ringlet
