// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/time/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ringlet {

class ticker;

/// What a ticker does about ticks that are due before they are asked for.
enum class missed_ticks : std::uint8_t {
    burst,  ///< gives each, one after another without waiting, until it is up to date
    skip,   ///< gives them as one, and goes on in the old rhythm
    delay   ///< gives them as one, and begins a new rhythm: the next comes a whole period later
};

namespace detail {

class [[nodiscard("nothing happens until this is awaited")]] tick_wait final : public leaf<tick_wait, std::uint64_t> {
public:
    explicit tick_wait(ticker& of) noexcept : ticker_{&of} {}

    static constexpr std::string_view name = "a tick";
    bool start(job_block& job);
    result<std::uint64_t> end(job_block& job) noexcept;
    result<std::uint64_t> outcome(job_block&) noexcept;
    std::uint64_t resume(job_block& job) {
        const result<std::uint64_t> ticks = end(job);
        if (!ticks) raise(ticks.error());
        return *ticks;
    }

private:
    ticker* ticker_;
    bool started_ = false;
    bool late_ = false;
};

}  // namespace detail

/// A rhythm: `co_await every.tick()` at each multiple of a period. Reckoned from the first tick and never from the last, so
/// that it does not drift. Thread: the loop's thread only.
class ticker {
public:
    /// `period`: more than zero. The first tick is a period from now, or at `first`.
    explicit ticker(std::chrono::nanoseconds period, missed_ticks missed = missed_ticks::burst,
                    std::optional<deadline> first = std::nullopt) noexcept;
    ticker(const ticker&) = delete;
    ticker& operator=(const ticker&) = delete;

    /// Waits until the next tick is due; where one is already, lets the others run once.
    ///
    /// Result:    how many were due: 1, or with `skip` and `delay` 1 and as many as were missed.
    /// Errors:    `cancelled`, and then no tick was taken.
    /// Lifetime:  the ticker outlives the wait. One job at a time.
    auto tick() noexcept { return detail::tick_wait{*this}; }

    /// When the next tick is due.
    deadline next() const noexcept { return next_; }
    std::chrono::nanoseconds period() const noexcept { return period_; }

private:
    friend detail::tick_wait;
    std::uint64_t take(bool late) noexcept;

    std::chrono::nanoseconds period_;
    deadline next_;
    missed_ticks missed_;
    bool waited_for_ = false;
};

}  // namespace ringlet
