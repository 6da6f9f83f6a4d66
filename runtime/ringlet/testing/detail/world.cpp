// SPDX-License-Identifier: MIT
#include <ringlet/testing/detail/world.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ringlet::testing::detail {

// splitmix64: one multiplication a number, and every seed is a good one.
std::uint64_t world::random() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

bool world::chance(double probability) noexcept {
    if (probability <= 0) return false;
    constexpr double range = 9007199254740992.0;  // 2^53
    return static_cast<double>(random() >> 11) < probability * range;
}

bool world::happens(fault kind) noexcept {
    if (!chance(plan_[kind])) return false;
    count(kind);
    note(0xfa, static_cast<std::uint64_t>(kind));
    return true;
}

std::size_t world::shortened(fault kind, std::size_t bytes) noexcept {
    if (bytes < 2 || !happens(kind)) return bytes;
    return 1 + below(bytes - 1);
}

std::chrono::nanoseconds world::latency() noexcept {
    return std::chrono::nanoseconds{below(static_cast<std::uint64_t>(plan_.latency_max.count()) + 1)};
}

void world::at(deadline when, std::function<void()> what, const void* owner) {
    events_.push_back({std::max(when, now_), ordered_++, std::move(what), owner});
    std::ranges::push_heap(events_, &later);
}

void world::forget(const void* owner) noexcept {
    std::erase_if(events_, [owner](const event& e) { return e.owner == owner; });
    std::ranges::make_heap(events_, &later);
}

bool world::happen_next(deadline until) {
    if (events_.empty() || events_.front().when > until) return false;
    std::ranges::pop_heap(events_, &later);
    const event next = std::move(events_.back());
    events_.pop_back();
    now_ = std::max(now_, next.when);  // an interrupted enter let time pass
    next.what();
    return true;
}

void world::pass_time(deadline until) noexcept { now_ = std::max(now_, until); }

void world::note(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) noexcept {
    ++steps_;
    for (const std::uint64_t part : {static_cast<std::uint64_t>(now_.time_since_epoch().count()), a, b, c, d}) {
        trace_ = (trace_ ^ part) * 0x100000001b3U;
        trace_ ^= trace_ >> 29;
    }
}

void world::violated(std::string what) {
    if (violation_.empty()) violation_ = fmt::format("step {}: {}", steps_, what);
}

}  // namespace ringlet::testing::detail
