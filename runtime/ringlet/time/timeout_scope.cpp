// SPDX-License-Identifier: MIT
#include <ringlet/time/timeout_scope.hpp>

#include <exception>
#include <utility>

namespace ringlet {

timeout_scope::timeout_scope(detail::time_limit limit, std::source_location where)
    : job_{&detail::current_scheduler(where).running_job(where)},
      limit_{limit},
      where_{where},
      passing_{std::uncaught_exceptions()} {
    scope_.begin(*job_, limit_.when());
}

timeout_scope::~timeout_scope() {
    if (!open_ || !end() || std::uncaught_exceptions() == passing_) return;
    // What passes is, as far as one can tell here, the cancellation that this limit caused. The promise of the coroutine
    // can tell, and takes this error in its place.
    detail::scheduler& loop = *detail::this_thread_scheduler;
    try {
        detail::raise_timeout("", limit_, where_);
    } catch (...) {
        loop.limit_error = std::current_exception();
    }
    loop.limit_passed = true;
}

bool timeout_scope::end() noexcept {
    if (std::exchange(open_, false)) {
        scope_.end();
        mine_ = scope_.cancel_called() && !job_->has(detail::job_block::cancel_pending);
    }
    return mine_;
}

void timeout_scope::rethrow() {
    if (end()) detail::raise_timeout("", limit_, where_);
    detail::require(std::current_exception() != nullptr,
                    "timeout_scope::rethrow() is for a handler: catch (const ringlet::cancelled&)");
    throw;
}

void timeout_scope::restart(std::chrono::nanoseconds limit) noexcept {
    if (!open_ || expired()) return;
    limit_ = detail::time_limit{limit};
    scope_.move_to(limit_.when());
}

}  // namespace ringlet
