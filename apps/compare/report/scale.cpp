// SPDX-License-Identifier: MIT
#include "compare/report/scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

namespace comparison {
namespace {

// The next of 1, 2, 5, 10, 20, ... not below `value`.
double round_up(double value) {
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double digit : {1.0, 2.0, 5.0})
        if (value <= digit * power * (1 + 1e-9)) return digit * power;
    return 10 * power;
}

bool is_usable(double value) { return std::isfinite(value) && value > 0; }

}  // namespace

scale scale::linear(double highest, double from, double to) {
    if (!is_usable(highest)) highest = 1;
    const double step = round_up(highest / 5);
    return {kind::linear, 0, std::ceil(highest / step - 1e-9) * step, from, to};
}

scale scale::linear_exactly(double highest, double from, double to) {
    return {kind::linear, 0, is_usable(highest) ? highest : 1, from, to};
}

scale scale::logarithmic_between(double lowest, double highest, double from, double to) {
    if (!is_usable(lowest)) lowest = 1;
    if (!is_usable(highest) || highest < lowest) highest = lowest;
    if (highest == lowest) highest = lowest * 10;
    return {kind::logarithmic, lowest, highest, from, to};
}

scale scale::logarithmic(double lowest, double highest, double from, double to) {
    if (is_usable(lowest)) lowest = std::pow(10, std::floor(std::log10(lowest) + 1e-9));
    if (is_usable(highest)) highest = std::pow(10, std::ceil(std::log10(highest) - 1e-9));
    return logarithmic_between(lowest, highest, from, to);
}

scale scale::fitting(std::span<const double> values, double from, double to) {
    double lowest = 0;
    double highest = 0;
    for (const double value : values) {
        if (!is_usable(value)) continue;
        lowest = lowest == 0 ? value : std::min(lowest, value);
        highest = std::max(highest, value);
    }
    // The least value has something to show, too.
    if (highest > 50 * lowest && lowest > 0) return logarithmic(lowest / 2, highest, from, to);
    return linear(highest, from, to);
}

double scale::place(double value) const noexcept {
    double share = 0;
    if (kind_ == kind::linear) {
        share = value / highest_;
    } else if (value > 0) {
        share = std::log(value / lowest_) / std::log(highest_ / lowest_);
    }
    return from_ + std::clamp(share, 0.0, 1.0) * (to_ - from_);
}

std::vector<double> scale::ticks() const {
    std::vector<double> out;
    if (kind_ == kind::linear) {
        const double step = round_up(highest_ / 5);
        for (int i = 0; i * step <= highest_ * (1 + 1e-9); ++i) out.push_back(i * step);
        return out;
    }
    const double decades = std::log10(highest_ / lowest_);
    constexpr std::array digits{1.0, 2.0, 5.0};
    const std::size_t used = decades < 2.5 ? digits.size() : 1;
    for (double power = std::pow(10, std::floor(std::log10(lowest_) + 1e-9)); power <= highest_ * (1 + 1e-9);
         power *= 10) {
        for (std::size_t i = 0; i < used; ++i) {
            const double value = digits[i] * power;
            if (value >= lowest_ * (1 - 1e-9) && value <= highest_ * (1 + 1e-9)) out.push_back(value);
        }
    }
    return out;
}

std::vector<double> spread_out(std::vector<double> wanted, double apart, double lowest, double highest) {
    std::vector<std::size_t> order(wanted.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair{wanted[i], i}; });
    double limit = highest;
    for (auto each = order.rbegin(); each != order.rend(); ++each, limit -= apart)
        wanted[*each] = std::min(wanted[*each], limit);
    limit = lowest;
    for (const std::size_t each : order) {
        wanted[each] = std::max(wanted[each], limit);
        limit = wanted[each] + apart;
    }
    return wanted;
}

}  // namespace comparison
