// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace apps {

/// Bytes from "1500", "64k", "1.5M", "2GiB": a number, perhaps a fraction with a dot, and one of B k K M G T P in
/// powers of 1024, which "iB" or "B" may follow. nullopt for anything else, a sign, or what exceeds 64 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;

/// A whole number in decimal digits and nothing else: no sign, no space, no 0x; a zero in front means nothing.
[[nodiscard]] std::optional<std::uint64_t> parse_whole(std::string_view text) noexcept;

/// "512B", "1.5KiB", "290.0MiB": one decimal from KiB on.
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// "14.2MiB/s". A rate that is negative or no number counts as 0.
[[nodiscard]] std::string format_rate(double bytes_per_second);

/// A length of time from "3", "0.5", "200ms", "1.5s", "5m", "2h": seconds when no unit stands there, decimals with a
/// dot in every locale. nullopt for anything else, a sign, or more than 100 years.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) noexcept;

/// "850ms", "12s", "4m51s", "1h02m", "3d04h"; a negative one counts as 0.
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds length);

/// The rate of something that grows, over the last seconds.
class rate_window {
public:
    using time_point = std::chrono::nanoseconds;  // of any steady clock: only differences count

    explicit rate_window(std::chrono::nanoseconds length = std::chrono::seconds{5}) : length_{length} {}

    /// Notes that `total` units have been done at `now`. A total below the last one (a retry) starts anew.
    void add(time_point now, std::uint64_t total);
    /// Units per second at `now`, 0 when nothing is known; never negative, always a number.
    [[nodiscard]] double per_second(time_point now) const noexcept;
    /// Time that `remaining` units take at this rate; nullopt when nothing moves, or beyond 100 days.
    [[nodiscard]] std::optional<std::chrono::seconds> eta(time_point now, std::uint64_t remaining) const noexcept;

private:
    struct sample {
        time_point when;
        std::uint64_t total;
    };

    std::chrono::nanoseconds length_;
    std::deque<sample> samples_;
};

}  // namespace apps
