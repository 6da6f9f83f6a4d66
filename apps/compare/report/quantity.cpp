// SPDX-License-Identifier: MIT
#include "compare/report/quantity.hpp"

#include "common/numbers.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

namespace comparison {
namespace {

struct unit {
    double size;
    std::string_view name;
};
constexpr std::array time_units{unit{1, "ns"}, unit{1e3, "µs"}, unit{1e6, "ms"}, unit{1e9, "s"}};
constexpr std::array thousands{unit{1, ""}, unit{1e3, "k"}, unit{1e6, "M"}, unit{1e9, "G"}};

bool can_be_shown(double value) { return std::abs(value) < 1e18; }  // false for what is no number

template <std::size_t N>
const unit& unit_of(const std::array<unit, N>& units, double value) {
    std::size_t at = 0;
    while (at + 1 < N && std::abs(value) >= units[at + 1].size * 0.9995) ++at;
    return units[at];
}

std::string grouped(double value) {
    std::string digits = fmt::format("{:.0f}", std::abs(value));
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return value < 0 && digits != "0" ? "-" + digits : digits;
}

// Three digits that count; of small ones no more than two behind the dot, unless nothing would remain.
std::string three_digits(double value) {
    const double size = std::abs(value);
    if (size >= 999.5) {
        const double step = std::pow(10, std::floor(std::log10(size)) - 2);
        return grouped(std::round(value / step) * step);
    }
    if (size >= 99.95) return fmt::format("{:.0f}", value);
    if (size >= 9.995) return fmt::format("{:.1f}", value);
    if (size == 0) return "0";
    return size < 0.095 ? fmt::format("{:.3f}", value) : fmt::format("{:.2f}", value);
}

std::string bytes(double value) {
    const std::string size = apps::format_size(static_cast<std::uint64_t>(std::abs(value)));
    return value <= -1 ? "-" + size : size;
}

std::string from_to(const std::string& lowest, const std::string& highest) {
    return lowest == highest ? lowest : fmt::format("{}–{}", lowest, highest);
}

}  // namespace

std::string show(quantity what, double value) {
    if (!can_be_shown(value)) return "?";
    switch (what) {
        case quantity::whole:
            return grouped(value);
        case quantity::count:
        case quantity::rate:
            return three_digits(value);
        case quantity::time: {
            const unit& in = unit_of(time_units, value);
            return fmt::format("{} {}", three_digits(value / in.size), in.name);
        }
        case quantity::bytes:
            return bytes(value);
    }
    return {};
}

std::string show_range(quantity what, const spread& values) {
    if (what != quantity::time) return from_to(show(what, values.lowest), show(what, values.highest));
    if (!can_be_shown(values.median) || !can_be_shown(values.lowest) || !can_be_shown(values.highest)) return "?";
    const unit& in = unit_of(time_units, values.median);
    return fmt::format("{} {}", from_to(three_digits(values.lowest / in.size), three_digits(values.highest / in.size)),
                       in.name);
}

std::string show_short(quantity what, double value) {
    if (what == quantity::bytes) return bytes(value);
    if (what == quantity::time) {
        const unit& in = unit_of(time_units, value);
        return fmt::format("{:g} {}", value / in.size, in.name);
    }
    const unit& in = unit_of(thousands, value);
    return fmt::format("{:g}{}", value / in.size, in.name);
}

}  // namespace comparison
