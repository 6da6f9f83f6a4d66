// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace comparison {

/// From values to places on a line of the picture.
class scale {
public:
    enum class kind : std::uint8_t { linear, logarithmic };

    /// From 0 to a round number not below `highest`.
    static scale linear(double highest, double from, double to);
    /// From 0 to `highest`.
    static scale linear_exactly(double highest, double from, double to);
    /// From a power of ten not above `lowest` to one not below `highest`; 0 and less stand at the beginning.
    static scale logarithmic(double lowest, double highest, double from, double to);
    /// The two numbers are the ends.
    static scale logarithmic_between(double lowest, double highest, double from, double to);
    /// Logarithmic where the values that are greater than 0 lie further apart than 1 to 50.
    static scale fitting(std::span<const double> values, double from, double to);

    [[nodiscard]] double place(double value) const noexcept;
    [[nodiscard]] bool is_logarithmic() const noexcept { return kind_ == kind::logarithmic; }
    /// Round values from one end to the other; on a logarithmic scale powers of ten, with 2 and 5 where those are few.
    [[nodiscard]] std::vector<double> ticks() const;

private:
    scale(kind what, double lowest, double highest, double from, double to)
        : kind_{what}, lowest_{lowest}, highest_{highest}, from_{from}, to_{to} {}

    kind kind_;
    double lowest_;
    double highest_;
    double from_;
    double to_;
};

/// Moves labels that want to stand at `wanted` so that they lie `apart` and between `lowest` and `highest`, in their order and
/// as near as can be. Where there is no room for all, they go on past `highest`.
[[nodiscard]] std::vector<double> spread_out(std::vector<double> wanted, double apart, double lowest, double highest);

}  // namespace comparison
