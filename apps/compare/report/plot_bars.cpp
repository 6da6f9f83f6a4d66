// SPDX-License-Identifier: MIT
#include "common/sanitize.hpp"
#include "compare/report/plots.hpp"
#include "compare/report/scale.hpp"
#include "compare/report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace comparison {
namespace {

constexpr double row_height = 22;
constexpr double bars_from = 126;
constexpr double bars_to = 300;
constexpr double thickness = 11;

void draw_range(svg::drawing& picture, const scale& across, const spread& values, double y) {
    const double from = across.place(values.lowest);
    const double to = across.place(values.highest);
    if (to - from < 1) return;  // it would not be seen
    picture.line({from, y}, {to, y}, "range");
    for (const double end : {from, to}) picture.line({end, y - 4}, {end, y + 4}, "range");
}

std::string described(const column& what, const row& one, const std::optional<spread>& values) {
    if (!values) return fmt::format("{}: {}", one.server, one.why_not.empty() ? "no figure" : "not run");
    std::string text = fmt::format("{}: {}", one.server, show(what.what, values->median));
    if (values->lowest < values->highest) text += fmt::format(" ({})", show_range(what.what, *values));
    return text;
}

}  // namespace

figure draw_bars(const column& what, rows_of_level rows, const looks& styles) {
    std::vector<double> all;
    for (const row* each : rows) {
        const auto values = what.of(*each);
        if (values) all.insert(all.end(), {values->lowest, values->median, values->highest});
    }
    if (std::ranges::none_of(all, [](double value) { return value > 0; })) return {};

    const scale across = scale::fitting(all, bars_from, bars_to);
    const double bottom = row_height * static_cast<double>(rows.size());
    svg::drawing picture;
    if (across.is_logarithmic())
        for (const double tick : across.ticks())
            picture.line({across.place(tick), 0}, {across.place(tick), bottom}, "grid");
    picture.line({bars_from, 0}, {bars_from, bottom}, "axis");
    std::string description;
    double y = row_height / 2;
    for (const row* each : rows) {
        const auto values = what.of(*each);
        picture.begin_group(styles.class_of(each->server));
        picture.marker({6, y}, styles.of(each->server));
        picture.text({17, y}, label_of(*each));
        if (values) {
            const double length = across.place(values->median) - bars_from;
            // Only from 0 on is a length as great as the value.
            if (across.is_logarithmic()) {
                picture.box({bars_from, y - 1}, length, 2, "bar");
                picture.marker({bars_from + length, y}, styles.of(each->server));
            } else {
                picture.box({bars_from, y - thickness / 2}, length, thickness, "bar");
            }
            draw_range(picture, across, *values, y);
            picture.text({svg::width - 2, y}, show(what.what, values->median), svg::anchor::end, "value");
        } else {
            picture.text({svg::width - 2, y}, each->why_not.empty() ? "none" : "not run", svg::anchor::end, "muted");
        }
        picture.end_group();
        if (!description.empty()) description += "; ";
        description += described(what, *each, values);
        y += row_height;
    }
    return {std::string{what.title},
            fmt::format("{}{}", direction_of(what),
                        across.is_logarithmic() ? " Each line is ten times the one before." : ""),
            picture.close(bottom, what.title, apps::sanitize(description, apps::text_context::text))};
}

}  // namespace comparison
