// SPDX-License-Identifier: MIT
#include <ringlet/sync/pool.hpp>

#include <stdexcept>

namespace ringlet::detail {

// The policy only says that every job's end is told to `job_ended`, which decides.
pool_core::pool_core(std::size_t capacity) noexcept
    : job_group{current_scheduler(), job_group::policy::first_cancels}, capacity_{capacity} {
    require(capacity > 0, "a pool without room would run nothing: give it a size of at least 1");
    on_ended = &job_ended;
}

pool_core::~pool_core() {
    require(empty(), "a pool was destroyed while jobs of it still run: use with_pool, or close and join it");
    require(in_use_ == 0, "a pool was destroyed while a job waits for room in it: cancel and join that job first");
}

void pool_core::require_open() const {
    if (closed_) throw std::logic_error{"the pool is closed: nothing more can be spawned"};
}

void pool_core::require_closed() const {
    if (!closed_) throw std::logic_error{"the pool is still open: close it before joining it"};
}

void pool_core::queue_up(job_block& job) noexcept {
    static constexpr wait_kind waiting{.name = "room in a pool", .cancel = &wait_list::cancel, .describe = nullptr};
    wait_for_room(job, waiting);
    if (job.has(job_block::cancel_pending)) wait_list::cancel(job);
}

void pool_core::job_ended(job_group& group, job_block& job) noexcept {
    auto& self = static_cast<pool_core&>(group);
    job.clear(job_block::joined);  // the failure stays in the handle
    if (job.has(job_block::handle_dropped) && job.failure && !is_cancelled(job.failure))
        self.owner().root().fail(job.failure);
    if (job.has(job_block::holds_room)) self.give_room_back();
    if (self.idle()) self.joiners_.wake_all();
}

void pool_core::give_room_back() noexcept {
    if (job_block* const next = room_.first()) {
        if (!next->has(job_block::started)) next->set(job_block::holds_room);  // a job of this pool: it starts now
        room_.wake_first();
    } else {
        --in_use_;
    }
}

bool pool_join::start(job_block& job) noexcept {
    static constexpr wait_kind waiting{.name = name, .cancel = &wait_list::cancel, .describe = nullptr};
    if (of_->idle()) return suspend_once(job);
    of_->joiners_.add(job, waiting, of_);
    return true;
}

}  // namespace ringlet::detail
