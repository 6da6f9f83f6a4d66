// SPDX-License-Identifier: MIT
#include "compare/report/plot_lines.hpp"

#include <algorithm>

namespace comparison::lines {

double bottom_for(std::size_t names) noexcept {
    return std::max(224.0, top + svg::text_height * static_cast<double>(names));
}

double height_for(double bottom) noexcept { return bottom + 44; }

void draw_values(svg::drawing& picture, const scale& up, quantity what) {
    for (const double value : up.ticks()) {
        const double y = up.place(value);
        picture.line({left, y}, {right, y}, "grid");
        picture.text({left - 5, y}, value == 0 ? "0" : show_short(what, value), svg::anchor::end, "muted");
    }
}

void draw_places(svg::drawing& picture, const std::vector<tick>& ticks, double bottom, std::string_view name) {
    constexpr double letter = 8;
    double free_from = 0;
    for (const tick& each : ticks) {
        picture.line({each.x, top}, {each.x, bottom}, "grid");
        const double half = letter * static_cast<double>(each.text.size()) / 2;
        if (each.x - half < free_from) continue;
        picture.text({each.x, bottom + 13}, each.text, svg::anchor::middle, "muted");
        free_from = each.x + half;
    }
    picture.text({(left + right) / 2, bottom + 33}, name, svg::anchor::middle, "muted");
}

std::string note_for(std::string_view note, const std::vector<line>& all) {
    std::string out{note};
    if (std::ranges::any_of(all, [](const line& one) { return one.points.empty(); }))
        out += " Of those in brackets there is nothing to draw.";
    return out;
}

void draw_names(svg::drawing& picture, const std::vector<line>& all, double bottom, const looks& styles) {
    std::vector<double> wanted;
    for (const line& each : all) wanted.push_back(each.points.empty() ? bottom : each.points.back().y);
    const std::vector<double> places = spread_out(wanted, svg::text_height, top, bottom);
    constexpr double marker_x = right + 20;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const line& each = all[i];
        picture.begin_group(styles.class_of(each.of->server));
        if (!each.points.empty()) picture.line(each.points.back(), {marker_x, places[i]}, "leader");
        picture.marker({marker_x, places[i]}, styles.of(each.of->server));
        if (each.points.empty()) {
            picture.text({marker_x + 9, places[i]}, "(" + label_of(*each.of) + ")", svg::anchor::start, "muted");
        } else {
            picture.text({marker_x + 9, places[i]}, label_of(*each.of));
        }
        picture.end_group();
    }
}

}  // namespace comparison::lines
