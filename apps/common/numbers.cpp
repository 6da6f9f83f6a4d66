// SPDX-License-Identifier: MIT
#include "numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

namespace apps {

namespace {

using namespace std::chrono;

// Digits with at most one dot, at the front of `text`, which moves behind them. No sign, no exponent, no "inf".
std::optional<double> take_number(std::string_view& text) noexcept {
    const auto end = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = text.substr(0, end);
    if (number.empty() || number == "." || std::count(number.begin(), number.end(), '.') > 1) return std::nullopt;
    double value = 0;
    const auto [stop, error] = std::from_chars(number.data(), number.data() + end, value, std::chars_format::fixed);
    if (error != std::errc{} || stop != number.data() + end) return std::nullopt;
    text.remove_prefix(end);
    return value;
}

std::optional<unsigned> power_of_unit(std::string_view unit) noexcept {
    constexpr std::string_view letters = "KMGTP";
    if (unit.empty() || unit == "B") return 0;
    const char letter = unit.front() == 'k' ? 'K' : unit.front();
    const auto at = letters.find(letter);
    const auto rest = unit.substr(1);
    if (at == std::string_view::npos || !(rest.empty() || rest == "B" || rest == "iB")) return std::nullopt;
    return static_cast<unsigned>(at) + 1;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
    std::uint64_t whole = 0;  // without a fraction all 64 bits count
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
    const auto digits = static_cast<std::size_t>(stop - text.data());
    if (error == std::errc{} && digits > 0 && (digits == text.size() || text[digits] != '.')) {
        const auto power = power_of_unit(text.substr(digits));
        if (!power || (*power > 0 && whole >> (64 - 10 * *power) != 0)) return std::nullopt;
        return whole << (10 * *power);
    }
    if (error == std::errc::result_out_of_range) return std::nullopt;
    const auto value = take_number(text);
    const auto power = power_of_unit(text);
    if (!value || !power) return std::nullopt;
    const double bytes = std::ldexp(*value, static_cast<int>(10 * *power));
    if (!(bytes < 18446744073709551616.0)) return std::nullopt;
    return static_cast<std::uint64_t>(bytes);
}

std::optional<std::uint64_t> parse_whole(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string format_size(std::uint64_t bytes) {
    constexpr std::array units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) return fmt::format("{}B", bytes);
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < units.size()) {  // would be shown as 1024.0
        value /= 1024;
        ++unit;
    }
    return fmt::format("{:.1f}{}", value, units[unit]);
}

std::string format_rate(double bytes_per_second) {
    const bool good = bytes_per_second > 0 && bytes_per_second < 1e18;
    return format_size(good ? static_cast<std::uint64_t>(bytes_per_second) : 0) + "/s";
}

std::optional<nanoseconds> parse_duration(std::string_view text) noexcept {
    const auto value = take_number(text);
    if (!value) return std::nullopt;
    double unit_ns = 0;
    if (text.empty() || text == "s") unit_ns = 1e9;
    if (text == "ms") unit_ns = 1e6;
    if (text == "m") unit_ns = 60e9;
    if (text == "h") unit_ns = 3600e9;
    constexpr double century_ns = 100 * 365.25 * 86400 * 1e9;
    if (unit_ns == 0 || *value * unit_ns > century_ns) return std::nullopt;
    return nanoseconds{static_cast<std::int64_t>(std::llround(*value * unit_ns))};
}

std::string format_duration(nanoseconds length) {
    length = std::max(length, nanoseconds{0});
    if (length < seconds{1}) return fmt::format("{}ms", duration_cast<milliseconds>(length).count());
    const auto s = duration_cast<seconds>(length).count();
    if (s < 60) return fmt::format("{}s", s);
    if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
    if (s < 86400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
    return fmt::format("{}d{:02}h", s / 86400, s / 3600 % 24);
}

void rate_window::add(time_point now, std::uint64_t total) {
    if (!samples_.empty() && (total < samples_.back().total || now < samples_.back().when)) samples_.clear();
    if (!samples_.empty() && samples_.back().when == now) samples_.pop_back();
    samples_.push_back({now, total});
    // One sample older than the window stays: it is where the window starts.
    while (samples_.size() > 2 && samples_[1].when <= now - length_) samples_.pop_front();
    // Not more samples than bars can show a difference for, however often this is called.
    constexpr std::size_t samples_max = 256;
    if (samples_.size() > samples_max) samples_.erase(samples_.begin() + samples_max / 2);
}

double rate_window::per_second(time_point now) const noexcept {
    if (samples_.size() < 2) return 0;
    // The last sample before the window, or the first of all: where counting starts.
    auto first = samples_.begin();
    while (std::next(first) != samples_.end() && std::next(first)->when <= now - length_) ++first;
    const sample& last = samples_.back();
    const auto span = duration<double>(std::max(now, last.when) - first->when).count();
    if (!(span > 0) || last.when < now - length_) return 0;  // nothing came for a whole window: stalled
    return static_cast<double>(last.total - first->total) / span;
}

std::optional<seconds> rate_window::eta(time_point now, std::uint64_t remaining) const noexcept {
    if (remaining == 0) return seconds{0};
    const double rate = per_second(now);
    if (!(rate > 0)) return std::nullopt;
    const double s = static_cast<double>(remaining) / rate;
    constexpr double hundred_days = 100.0 * 86400;
    if (!(s < hundred_days)) return std::nullopt;
    return seconds{static_cast<std::int64_t>(std::ceil(s))};
}

}  // namespace apps
