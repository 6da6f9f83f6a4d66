// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/time/clock.hpp>

#include <cstddef>
#include <cstdint>

namespace fetch {

/// Lets so many bytes a second through, of all who ask together: each waits until its bytes have their turn, in the order
/// of asking.
class rate_limiter {
public:
    /// 0: no limit.
    explicit rate_limiter(std::uint64_t bytes_per_second) noexcept : rate_{bytes_per_second} {}

    [[nodiscard]] bool limits() const noexcept { return rate_ > 0; }
    /// So little at a time that the limit is kept smoothly.
    [[nodiscard]] std::size_t piece_bytes() const noexcept;
    /// Waits until `bytes` more fit into the rate. Only where there is one.
    ringlet::task<> pass(std::size_t bytes);

private:
    std::uint64_t rate_;
    ringlet::deadline free_at_{};
};

}  // namespace fetch
