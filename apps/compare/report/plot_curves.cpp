// SPDX-License-Identifier: MIT
#include "common/sanitize.hpp"
#include "compare/report/curve.hpp"
#include "compare/report/plot_lines.hpp"
#include "compare/report/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace comparison {
namespace {

using lines::line;

// Markers stand where the shares are that are spoken of.
constexpr std::array marked{0.5, 0.9, 0.99, 0.999};

double across(double share) { return lines::left + position_of(share) / positions * (lines::right - lines::left); }

std::string described(const row& one, const measurement* run) {
    if (run == nullptr) return fmt::format("{}: no answers", one.server);
    const auto time = [&](double share) {
        return show(quantity::time, static_cast<double>(run->times.at(share).count()));
    };
    return fmt::format("{}: half within {}, 99 % within {}, the longest {}", one.server, time(0.5), time(0.99),
                       time(1));
}

}  // namespace

figure draw_curves(rows_of_level rows, const looks& styles) {
    double lowest = 0;
    double highest = 0;
    for (const row* each : rows) {
        const measurement* run = typical_run(*each);
        if (run == nullptr) continue;
        for (const latencies::point& point : run->times.curve) {
            const auto time = static_cast<double>(point.time.count());
            if (time > 0 && (lowest == 0 || time < lowest)) lowest = time;
            highest = std::max(highest, time);
        }
    }
    if (highest == 0) return {};

    const double bottom = lines::bottom_for(rows.size());
    const scale up = scale::logarithmic(lowest, highest, bottom, lines::top);
    svg::drawing picture;
    lines::draw_values(picture, up, quantity::time);
    lines::draw_places(picture,
                       {{across(0), "0"},
                        {across(0.5), "50"},
                        {across(0.9), "90"},
                        {across(0.99), "99"},
                        {across(0.999), "99.9"},
                        {across(1), "all"}},
                       bottom, "share of requests, %");
    std::vector<line> all;
    std::string description;
    for (const row* each : rows) {
        line& one = all.emplace_back(line{each, {}});
        const measurement* run = typical_run(*each);
        if (!description.empty()) description += "; ";
        description += described(*each, run);
        if (run == nullptr) continue;
        for (const latencies::point& point : thinned(run->times))
            one.points.push_back({across(point.share), up.place(static_cast<double>(point.time.count()))});
        picture.begin_group(styles.class_of(each->server));
        picture.path(one.points, "line");
        for (const double share : marked) {
            if (static_cast<double>(run->answered) * (1 - share) < 1) break;  // it has no such share
            picture.marker({across(share), up.place(static_cast<double>(run->times.at(share).count()))},
                           styles.of(each->server));
        }
        picture.end_group();
    }
    lines::draw_names(picture, all, bottom, styles);
    const std::string title = "Time within which a share of the requests had its answer";
    return {
        title,
        lines::note_for("Lower is better. Both scales are stretched, so that the few that take long are seen.", all),
        picture.close(lines::height_for(bottom), title, apps::sanitize(description, apps::text_context::text))};
}

}  // namespace comparison
