// SPDX-License-Identifier: MIT
#include "compare/report/curve.hpp"
#include "compare/report/parts.hpp"
#include "compare/report/troubles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace comparison::page {
namespace {

using level_rows = std::vector<const row*>;

std::map<unsigned, level_rows> by_level(const scenario_results& one) {
    std::map<unsigned, level_rows> levels;
    for (const row& each : one.rows) levels[each.level].push_back(&each);
    return levels;
}

// The highest of the levels at which most servers answered.
const level_rows& telling(const std::map<unsigned, level_rows>& levels) {
    const auto answered = [](const auto& level) {
        return std::ranges::count_if(level.second, [](const row* each) { return typical_run(*each) != nullptr; });
    };
    auto best = levels.begin();
    for (auto each = levels.begin(); each != levels.end(); ++each)
        if (answered(*each) >= answered(*best)) best = each;
    return best->second;
}

void put(std::string& into, const figure& one, const std::string& which) {
    if (one.drawing.empty()) return;
    into += fmt::format("<figure>{}<figcaption>{}{}{}</figcaption></figure>\n", one.drawing, one.title, which,
                        one.note.empty() ? "" : fmt::format("<span class=\"muted\">{}</span>", one.note));
}

bool has_curves(const level_rows& rows) {
    return std::ranges::any_of(rows, [](const row* each) {
        const measurement* run = typical_run(*each);
        return run != nullptr && run->answered > 1;
    });
}

std::string figures_of(const scenario_results& one, const looks& styles) {
    const auto levels = by_level(one);
    if (levels.empty()) return {};
    const level_rows& rows = telling(levels);
    const bool several = levels.size() > 1;
    const std::string which =
        several ? fmt::format(" ({} connections)", show(quantity::whole, rows.front()->level)) : std::string{};

    std::string out;
    put(out, draw_timeline(rows, styles), which);
    if (several) {
        if (!one.is_open_loop) put(out, draw_levels(column_of("requests_per_second"), one.rows, styles), "");
        put(out, draw_levels(column_of("p99_ns"), one.rows, styles), "");
    } else if (!one.is_open_loop) {
        put(out, draw_bars(column_of("requests_per_second"), rows, styles), which);
    }
    if (has_curves(rows)) {
        put(out, draw_curves(rows, styles), which);
    } else {
        put(out, draw_bars(column_of("p50_ns"), rows, styles), which);
    }
    for (const std::string_view key :
         {"cpu_per_request_ns", "calls_per_request", "switches_per_request", "memory_per_connection_bytes"})
        put(out, draw_bars(column_of(key), rows, styles), which);
    return out.empty() ? out : "<div class=\"figures\">\n" + out + "</div>\n";
}

// In words, what is only a mark in the pictures.
std::string troubles_in(const scenario_results& one, const looks& styles) {
    const bool several = by_level(one).size() > 1;
    std::vector<std::pair<std::string_view, std::string>> servers;
    for (const row& each : one.rows) {
        const std::string troubles = troubles_of(each);
        if (troubles.empty()) continue;
        auto known = std::ranges::find(servers, each.server, &decltype(servers)::value_type::first);
        if (known == servers.end()) known = servers.insert(known, {each.server, ""});
        std::string& text = known->second;
        if (!text.empty()) text += "; ";
        if (several) text += fmt::format("at {}, ", show(quantity::whole, each.level));
        text += troubles;
    }
    if (servers.empty()) return {};
    std::string out = fmt::format("<h3>What went wrong ({})</h3>\n<ul class=\"troubles\">\n", trouble_mark);
    for (const auto& [server, text] : servers)
        out += fmt::format("<li>{}: {}</li>\n", named(server, styles), shown(text));
    return out + "</ul>\n";
}

// How the load goes on; of a single request there is nothing to say.
std::string loop_of(const scenario_results& one) {
    if (one.is_open_loop)
        return fmt::format(
            "Open loop: {} requests are sent each second, whatever has been answered; a wait counts from when a "
            "request was to "
            "be sent.",
            show(quantity::rate, one.rate));
    const auto goes_on = [](const row& each) { return column_of("requests_per_second").of(each).has_value(); };
    if (std::ranges::none_of(one.rows, goes_on)) return {};
    return "Closed loop: each client sends its next request when it has the answer to the one before.";
}

}  // namespace

std::string section_of(const scenario_results& one, const results& all, const looks& styles) {
    return fmt::format(
        "<section id=\"{0}\">\n<h2>{1}</h2>\n<p class=\"question\">{2}</p>\n<p class=\"muted\">Scenario "
        "<code>{0}</code>. {3}</p>\n{4}{5}{6}</section>\n",
        shown(one.name), shown(one.title), shown(one.question), loop_of(one), figures_of(one, styles),
        troubles_in(one, styles), one.rows.empty() ? "<p>Nothing was measured.</p>\n" : table_of(one, all, styles));
}

}  // namespace comparison::page
