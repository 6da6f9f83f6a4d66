// SPDX-License-Identifier: MIT
#pragma once

#include "compare/report/plots.hpp"
#include "compare/report/scale.hpp"
#include "compare/report/svg.hpp"

#include <string>
#include <vector>

/// What the pictures with a line for each server have in common.
namespace comparison::lines {

inline constexpr double left = 54;
inline constexpr double right = 272;
inline constexpr double top = 8;

/// A server's line; without points it has no figures, and is named all the same, in brackets.
struct line {
    const row* of = nullptr;
    std::vector<svg::point> points;
};

/// The lowest place of the plot, so that `names` fit beside it.
[[nodiscard]] double bottom_for(std::size_t names) noexcept;
/// Height of the whole picture.
[[nodiscard]] double height_for(double bottom) noexcept;

/// Lines across the picture, with their values beside them.
void draw_values(svg::drawing& picture, const scale& up, quantity what);
/// Where a column of the picture is, and what stands below it.
struct tick {
    double x = 0;
    std::string text;
};
/// Those whose text would touch the one before stay away.
void draw_places(svg::drawing& picture, const std::vector<tick>& ticks, double bottom, std::string_view name);
/// "Lower is better. Of those in brackets there is nothing to draw."
[[nodiscard]] std::string note_for(std::string_view note, const std::vector<line>& all);
/// The names at the right side, each led to from the end of its line.
void draw_names(svg::drawing& picture, const std::vector<line>& all, double bottom, const looks& styles);

}  // namespace comparison::lines
