// SPDX-License-Identifier: MIT
#include "compare/report/svg.hpp"

#include "common/html.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>

namespace comparison::svg {
namespace {

// A tenth is finer than a screen; what is no number would end the picture.
std::string number(double value) {
    if (!std::isfinite(value)) return "0";
    std::string text = fmt::format("{:.1f}", value);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text;
}

// Around (0, 0): circle, square, triangle, diamond, triangle upside down, cross.
constexpr std::array<std::string_view, 6> shapes{"M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
                                                 "M-3.5-3.5h7v7h-7z",
                                                 "M0-4.5l4.5 8h-9z",
                                                 "M0-5l5 5-5 5-5-5z",
                                                 "M0 4.5l4.5-8h-9z",
                                                 "M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z"};

std::string class_attribute(std::string_view classes) {
    return classes.empty() ? "" : fmt::format(" class=\"{}\"", classes);
}

}  // namespace

void drawing::text(point from, std::string_view what, anchor where, std::string_view classes) {
    constexpr std::array<std::string_view, 3> anchors{"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    fmt::format_to(std::back_inserter(body_), "<text x=\"{}\" y=\"{}\"{}{}>{}</text>", number(from.x),
                   number(from.y + 4), anchors[static_cast<std::size_t>(where)], class_attribute(classes),
                   apps::escape_html(what));
}

void drawing::line(point from, point to, std::string_view classes) {
    fmt::format_to(std::back_inserter(body_), "<path{} d=\"M{} {}L{} {}\"/>", class_attribute(classes), number(from.x),
                   number(from.y), number(to.x), number(to.y));
}

void drawing::path(std::span<const point> points, std::string_view classes) {
    if (points.empty()) return;
    std::string way;
    for (const point& each : points)
        way += fmt::format("{}{} {}", way.empty() ? 'M' : 'L', number(each.x), number(each.y));
    fmt::format_to(std::back_inserter(body_), "<path{} d=\"{}\"/>", class_attribute(classes), way);
}

void drawing::box(point corner, double wide, double high, std::string_view classes) {
    fmt::format_to(std::back_inserter(body_), "<rect{} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                   class_attribute(classes), number(corner.x), number(corner.y), number(wide), number(high));
}

void drawing::marker(point middle, std::size_t number_of_shape) {
    fmt::format_to(std::back_inserter(body_), "<path class=\"mark\" transform=\"translate({} {})\" d=\"{}\"/>",
                   number(middle.x), number(middle.y), shapes[number_of_shape % shapes.size()]);
}

void drawing::begin_group(std::string_view classes) { body_ += fmt::format("<g{}>", class_attribute(classes)); }

void drawing::end_group() { body_ += "</g>"; }

std::string drawing::close(double height, std::string_view title, std::string_view description) const {
    return fmt::format("<svg role=\"img\" viewBox=\"0 0 {} {}\"><title>{}</title><desc>{}</desc>{}</svg>\n",
                       number(width), number(height), apps::escape_html(title), apps::escape_html(description), body_);
}

std::string key(std::size_t number, std::string_view classes) {
    return fmt::format(
        "<svg class=\"key {}\" viewBox=\"-6 -6 12 12\" aria-hidden=\"true\"><path class=\"mark\" d=\"{}\"/></svg>",
        classes, shapes[number % shapes.size()]);
}

}  // namespace comparison::svg
