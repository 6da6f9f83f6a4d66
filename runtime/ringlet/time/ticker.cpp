// SPDX-License-Identifier: MIT
#include <ringlet/time/later.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/ticker.hpp>

namespace ringlet {
namespace detail {

bool tick_wait::start(job_block& job) {
    static constexpr wait_kind waiting{.name = name, .cancel = &cancel_timer_wait, .describe = nullptr};
    require(!ticker_->waited_for_, "two jobs wait for the same ticker: let one of them tell the other");
    late_ = ticker_->next_ < clock::now();
    bool waits = true;
    if (late_ || ticker_->next_ == clock::now())
        waits = suspend_once(job);
    else
        wait_for_timer(job, ticker_->next_, waiting);
    started_ = ticker_->waited_for_ = true;
    return waits;
}

result<std::uint64_t> tick_wait::end(job_block& job) noexcept {
    if (started_) ticker_->waited_for_ = false;
    return leaf::end(job);
}

result<std::uint64_t> tick_wait::outcome(job_block&) noexcept { return ticker_->take(late_); }

}  // namespace detail

ticker::ticker(std::chrono::nanoseconds period, missed_ticks missed, std::optional<deadline> first) noexcept
    : period_{period}, next_{first ? *first : deadline_after(period)}, missed_{missed} {
    detail::require(period.count() > 0, "a ticker's period must be more than zero");
}

std::uint64_t ticker::take(bool late) noexcept {
    const deadline now = clock::now();
    if (missed_ == missed_ticks::burst || now < next_) {
        next_ = detail::later(next_, period_);
        return 1;
    }
    const auto missed = (now - next_) / period_;
    // A timer that fires some microseconds late is no reason for a new rhythm; a job that comes late is.
    next_ = late && missed_ == missed_ticks::delay ? detail::later(now, period_)
                                                   : detail::later(next_ + missed * period_, period_);
    return static_cast<std::uint64_t>(missed) + 1;
}

}  // namespace ringlet
