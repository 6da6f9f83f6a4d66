// SPDX-License-Identifier: MIT
#pragma once

#include "compare/results.hpp"

#include <cstdint>
#include <string>

namespace comparison {

enum class quantity : std::uint8_t {
    whole,  ///< of things that are counted
    count,  ///< of things for each request: fractions
    rate,   ///< a second
    time,   ///< in nanoseconds
    bytes,
};

/// For people, three digits that count: "64", "2.03", "150,000", "0.41 ms", "1.0KiB". What is no number is "?".
[[nodiscard]] std::string show(quantity what, double value);

/// From the lowest to the highest, both in the unit that the middle one has: "0.38–0.44 ms". Only one, where they look the same.
[[nodiscard]] std::string show_range(quantity what, const spread& values);

/// For an axis, where the values are round: "150k", "10 ms".
[[nodiscard]] std::string show_short(quantity what, double value);

}  // namespace comparison
