// SPDX-License-Identifier: MIT
#include "fetch/rate_limiter.hpp"

#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <chrono>

namespace fetch {

std::size_t rate_limiter::piece_bytes() const noexcept {
    constexpr std::uint64_t least = 512;
    constexpr std::uint64_t pieces_a_second = 16;
    return limits() ? std::max(rate_ / pieces_a_second, least) : SIZE_MAX;
}

ringlet::task<> rate_limiter::pass(std::size_t bytes) {
    const std::chrono::duration<double> length{static_cast<double>(bytes) / static_cast<double>(rate_)};
    free_at_ = std::max(free_at_, ringlet::clock::now()) + std::chrono::duration_cast<std::chrono::nanoseconds>(length);
    co_await ringlet::sleep_until(free_at_);
}

}  // namespace fetch
