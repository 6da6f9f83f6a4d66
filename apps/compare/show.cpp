// SPDX-License-Identifier: MIT
#include "compare/show.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace comparison {
namespace {

std::string with_commas(std::int64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3 + (number < 0 ? 1 : 0);) text.insert(at -= 3, ",");
    return text;
}

// Three digits, and no zeros behind the point that say nothing.
std::string three_digits(double value) {
    const double size = std::abs(value);
    if (size < 9.995) return fmt::format("{:.2f}", value);
    return size < 99.95 ? fmt::format("{:.1f}", value) : with_commas(std::llround(value));
}

}  // namespace

std::string show_time_ms(double milliseconds) {
    if (milliseconds >= 1000) return three_digits(milliseconds / 1000) + " s";
    if (milliseconds > 0 && milliseconds < 0.1) return three_digits(milliseconds * 1000) + " us";
    return three_digits(milliseconds) + " ms";
}

std::string show_rate(double per_second) {
    if (per_second < 99.95) return three_digits(per_second);
    const double step = std::pow(10, std::floor(std::log10(per_second)) - 2);
    return with_commas(std::llround(std::round(per_second / step) * step));
}

std::string show_bytes(double bytes) {
    constexpr std::array<std::string_view, 4> units{"B", "KiB", "MiB", "GiB"};
    std::size_t unit = 0;
    for (; std::abs(bytes) >= 1000 && unit + 1 < units.size(); ++unit) bytes /= 1024;
    return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{} {}", three_digits(bytes), units[unit]);
}

std::string show_count(double count) { return count == std::floor(count) && count < 1e15 ? with_commas(std::llround(count)) : three_digits(count); }

}  // namespace comparison
