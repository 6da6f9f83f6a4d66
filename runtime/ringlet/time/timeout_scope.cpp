// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/expiry.hpp>
#include <ringlet/time/timeout_scope.hpp>

#include <exception>
#include <utility>

namespace ringlet {

class timeout_scope::late final : public detail::expiry {
public:
    late(detail::time_limit length, std::source_location set_at) noexcept : limit{length}, where_{set_at} {}
    [[noreturn]] void raise() const { detail::raise_timeout("", limit, where_); }
    std::exception_ptr error() const noexcept override {
        try {
            raise();
        } catch (...) {
            return std::current_exception();
        }
    }

    detail::time_limit limit;

private:
    std::source_location where_;
};

void timeout_scope::block::begin(detail::job_block& job, late& of) {
    expiry_ = &of;
    limit_scope::begin(job, of.limit.when());
}

timeout_scope::timeout_scope(detail::time_limit limit, std::source_location where)
    : job_{&detail::current_scheduler(where).running_job(where)}, late_{std::make_shared<late>(limit, where)} {
    scope_.begin(*job_, *late_);
}

timeout_scope::~timeout_scope() { close(); }

void timeout_scope::close() noexcept {
    if (!std::exchange(open_, false)) return;
    scope_.end();
    if (!scope_.cancel_called()) return;
    mine_ = !job_->has(detail::job_block::cancel_pending);
    if (mine_)
        late_->answer();
    else
        late_->pass_on_to(detail::cause_of_pending(*job_));
}

bool timeout_scope::end() noexcept {
    close();
    if (!mine_) return false;
    // In a handler of a `cancelled` that is somebody else's, that one goes on.
    const std::exception_ptr handled = std::current_exception();
    return !detail::is_cancelled(handled) || detail::expiry_behind(handled) == late_;
}

void timeout_scope::rethrow() {
    const bool mine = end();
    const std::exception_ptr handled = std::current_exception();
    if (mine && (!handled || detail::is_cancelled(handled))) late_->raise();
    detail::require(handled != nullptr, "timeout_scope::rethrow() is for a handler: catch (const ringlet::cancelled&)");
    throw;
}

void timeout_scope::restart(std::chrono::nanoseconds limit) noexcept {
    if (!open_ || expired()) return;
    late_->limit = detail::time_limit{limit};
    scope_.move_to(late_->limit.when());
}

}  // namespace ringlet
