// SPDX-License-Identifier: MIT
#include "common/sanitize.hpp"
#include "compare/report/plot_lines.hpp"
#include "compare/report/plots.hpp"
#include "compare/report/troubles.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace comparison {
namespace {

using lines::line;

std::vector<unsigned> levels_of(std::span<const row> rows) {
    std::vector<unsigned> levels;
    for (const row& each : rows) levels.push_back(each.level);
    std::ranges::sort(levels);
    const auto repeated = std::ranges::unique(levels);
    levels.erase(repeated.begin(), repeated.end());
    return levels;
}

// The servers in the order of the rows; of each, a row with trouble where there is one, for its mark.
std::vector<line> lines_of(std::span<const row> rows) {
    std::vector<line> all;
    for (const row& each : rows) {
        const auto known = std::ranges::find_if(all, [&](const line& one) { return one.of->server == each.server; });
        if (known == all.end()) {
            all.push_back({&each, {}});
        } else if (troubles_of(*known->of).empty()) {
            known->of = &each;
        }
    }
    return all;
}

}  // namespace

figure draw_levels(const column& what, std::span<const row> rows, const looks& styles) {
    std::vector<double> values;
    for (const row& each : rows) {
        const auto found = what.of(each);
        if (found) values.insert(values.end(), {found->lowest, found->median, found->highest});
    }
    if (std::ranges::none_of(values, [](double value) { return value > 0; })) return {};

    std::vector<line> all = lines_of(rows);
    const double bottom = lines::bottom_for(all.size());
    const scale up = scale::fitting(values, bottom, lines::top);
    const std::vector<unsigned> levels = levels_of(rows);
    const scale across = scale::logarithmic_between(levels.front(), levels.back(), lines::left + 8, lines::right - 8);
    svg::drawing picture;
    lines::draw_values(picture, up, what.what);
    std::vector<lines::tick> ticks;
    for (const unsigned level : levels) ticks.push_back({across.place(level), show(quantity::whole, level)});
    lines::draw_places(picture, ticks, bottom, "connections");

    std::string description;
    for (line& one : all) {
        const std::string server = one.of->server;
        picture.begin_group(styles.class_of(server));
        description += fmt::format("{}{}:", description.empty() ? "" : "; ", server);
        for (const row& each : rows) {
            if (each.server != server) continue;
            const auto found = what.of(each);
            description += fmt::format(" at {} {},", each.level, found ? show(what.what, found->median) : "nothing");
            if (!found) continue;
            const double x = across.place(each.level);
            one.points.push_back({x, up.place(found->median)});
            picture.line({x, up.place(found->lowest)}, {x, up.place(found->highest)}, "area");
            picture.marker(one.points.back(), styles.of(server));
        }
        if (description.ends_with(',')) description.pop_back();
        picture.path(one.points, "line");
        picture.end_group();
    }
    lines::draw_names(picture, all, bottom, styles);
    const std::string_view scales =
        up.is_logarithmic() ? "Both scales are logarithmic." : "Connections are logarithmic.";
    const std::string note = fmt::format("{} {} Broad strokes are ranges.", direction_of(what), scales);
    return {
        fmt::format("{}, against connections", what.title), lines::note_for(note, all),
        picture.close(lines::height_for(bottom), what.title, apps::sanitize(description, apps::text_context::text))};
}

}  // namespace comparison
