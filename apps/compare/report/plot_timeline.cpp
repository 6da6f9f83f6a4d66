// SPDX-License-Identifier: MIT
#include "common/sanitize.hpp"
#include "compare/report/plots.hpp"
#include "compare/report/scale.hpp"
#include "compare/report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace comparison {
namespace {

constexpr double row_height = 32;
constexpr double legend_height = 44;
constexpr double bars_from = 126;
constexpr double bars_to = 282;

struct outcome {
    nanoseconds waited{0};
    std::optional<nanoseconds> answered;  // when
};

outcome outcome_of(const row& one) {
    outcome out;
    for (const interval& each : one.timeline) {
        if (each.what == interval::kind::waits) out.waited += each.to - each.from;
        if (each.what == interval::kind::answered) out.answered = each.from;
    }
    return out;
}

double place(const scale& across, nanoseconds time) { return across.place(static_cast<double>(time.count())); }

void draw_legend(svg::drawing& picture) {
    picture.box({1, 8}, 22, 3, "silent");
    picture.text({30, 9.5}, "is connected and says nothing");
    picture.box({1, 23}, 22, 9, "waits");
    picture.text({30, 27.5}, "waits for its answer");
    picture.box({204, 20}, 3, 15, "answered");
    picture.text({214, 27.5}, "has its answer");
}

// The silent ones above, the others below; what is short is still seen.
void draw_intervals(svg::drawing& picture, const row& one, const scale& across, double y) {
    for (const interval& each : one.timeline) {
        const double from = place(across, each.from);
        const double length = std::max(2.0, place(across, each.to) - from);
        if (each.what == interval::kind::silent) picture.box({from, y - 8}, length, 3, "silent");
        if (each.what == interval::kind::waits) picture.box({from, y}, length, 9, "waits");
    }
    if (const auto answered = outcome_of(one).answered)
        picture.box({place(across, *answered), y - 3}, 3, 15, "answered");
}

std::string said_of(const row& one) {
    if (!one.why_not.empty()) return "not run";
    const outcome out = outcome_of(one);
    if (!out.answered) return "no answer";
    return "in " + show(quantity::time, static_cast<double>(out.waited.count()));
}

}  // namespace

figure draw_timeline(rows_of_level rows, const looks& styles) {
    nanoseconds end{0};
    for (const row* each : rows)
        for (const interval& one : each->timeline) end = std::max(end, one.to);
    if (end.count() == 0) return {};

    const double bottom = legend_height + row_height * static_cast<double>(rows.size());
    const scale across = scale::linear_exactly(static_cast<double>(end.count()), bars_from, bars_to);
    svg::drawing picture;
    draw_legend(picture);
    const std::vector<double> ticks = across.ticks();
    for (const double tick : ticks) {
        picture.line({across.place(tick), legend_height}, {across.place(tick), bottom}, "grid");
        if (tick != ticks.front() && tick != ticks.back()) continue;
        picture.text({across.place(tick), bottom + 13}, tick == 0 ? "0" : show_short(quantity::time, tick),
                     svg::anchor::middle, "muted");
    }
    std::string description;
    double y = legend_height + row_height / 2;
    for (const row* each : rows) {
        picture.begin_group(styles.class_of(each->server));
        picture.marker({6, y}, styles.of(each->server));
        picture.text({17, y}, label_of(*each));
        draw_intervals(picture, *each, across, y);
        picture.text({svg::width - 2, y}, said_of(*each), svg::anchor::end, "value");
        picture.end_group();
        description += fmt::format("{}{}: the other one's answer: {}", description.empty() ? "" : "; ", each->server,
                                   said_of(*each));
        y += row_height;
    }
    const std::string title = "Who waits for whom";
    return {title, "Two connections to each server. The first never sends anything; the second asks a moment later.",
            picture.close(bottom + 24, title, apps::sanitize(description, apps::text_context::text))};
}

}  // namespace comparison
