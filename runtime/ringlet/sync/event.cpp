// SPDX-License-Identifier: MIT
#include <ringlet/sync/event.hpp>

namespace ringlet::detail {
namespace {
constexpr wait_kind waiting{.name = event_wait::name, .cancel = &wait_list::cancel, .describe = nullptr};
}  // namespace

bool event_wait::start(job_block& job) noexcept {
    if (event_->set_) return suspend_once(job);
    event_->waiters_.add(job, waiting, event_);
    return true;
}

}  // namespace ringlet::detail
