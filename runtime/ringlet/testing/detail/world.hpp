// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/fault_plan.hpp>
#include <ringlet/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ringlet::testing::detail {

/// What every part of a simulation shares: virtual time, what is to happen and when, the seed's decisions, the trace, and
/// what has been found wrong.
class world {
public:
    world(std::uint64_t seed, const fault_plan& plan) noexcept : plan_{plan}, seed_{seed}, state_{seed} {}
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    const deadline& now() const noexcept { return now_; }
    std::uint64_t seed() const noexcept { return seed_; }
    const fault_plan& plan() const noexcept { return plan_; }

    // --- the seed's decisions ---

    std::uint64_t random() noexcept;
    /// From 0 to `end` - 1.
    std::uint64_t below(std::uint64_t end) noexcept { return end == 0 ? 0 : random() % end; }
    bool chance(double probability) noexcept;
    /// Whether this fault happens here and now; counted.
    bool happens(fault kind) noexcept;
    /// 1 to `bytes` - 1 in place of `bytes`, when this fault happens.
    std::size_t shortened(fault kind, std::size_t bytes) noexcept;
    std::chrono::nanoseconds latency() noexcept;
    const fault_counts& counts() const noexcept { return counts_; }
    void count(fault kind) noexcept { ++counts_[kind]; }

    // --- what is to happen ---

    /// Does `what` at `when`, or now when that has passed; what is due at the same time in the order of the calls. An owner
    /// that may end before has it forgotten then.
    void at(deadline when, std::function<void()> what, const void* owner = nullptr);
    void after(std::chrono::nanoseconds delay, std::function<void()> what, const void* owner = nullptr) {
        at(now_ + delay, std::move(what), owner);
    }
    void forget(const void* owner) noexcept;
    bool nothing_left() const noexcept { return events_.empty(); }
    /// Lets the next thing happen unless it is due after `until`; time goes on to it.
    bool happen_next(deadline until);
    void pass_time(deadline until) noexcept;

    // --- what happened ---

    std::uint64_t steps() const noexcept { return steps_; }
    std::uint64_t trace() const noexcept { return trace_; }
    /// Adds a step to the trace: nothing that differs between two runs of the same seed, such as an address.
    void note(std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0, std::uint64_t d = 0) noexcept;
    /// Something that must never be. The first is kept, with its step.
    void violated(std::string what);
    const std::string& violation() const noexcept { return violation_; }

private:
    struct event {
        deadline when;
        std::uint64_t order;
        std::function<void()> what;
        const void* owner;
    };
    static bool later(const event& a, const event& b) noexcept {
        return a.when != b.when ? a.when > b.when : a.order > b.order;
    }

    fault_plan plan_;
    std::uint64_t seed_;
    std::uint64_t state_;
    deadline now_{};
    std::vector<event> events_;  // a heap
    std::uint64_t ordered_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t trace_ = 0xcbf29ce484222325U;
    fault_counts counts_;
    std::string violation_;
};

}  // namespace ringlet::testing::detail
