// SPDX-License-Identifier: MIT
#include "compare/report/text.hpp"

#include "common/sanitize.hpp"
#include "common/width.hpp"
#include "compare/report/columns.hpp"
#include "compare/report/troubles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace comparison {
namespace {

// What is shown, what matters most first: where there is no room for all, the last ones go.
constexpr std::array by_importance{std::string_view{"requests_per_second"},
                                   std::string_view{"p50_ns"},
                                   std::string_view{"p99_ns"},
                                   std::string_view{"cpu_per_request_ns"},
                                   std::string_view{"lines"},
                                   std::string_view{"memory_per_connection_bytes"},
                                   std::string_view{"calls_per_request"},
                                   std::string_view{"switches_per_request"},
                                   std::string_view{"threads"},
                                   std::string_view{"processes"},
                                   std::string_view{"memory_bytes"},
                                   std::string_view{"p999_ns"},
                                   std::string_view{"max_ns"},
                                   std::string_view{"p90_ns"}};

struct text_column {
    std::string_view key;
    std::vector<std::string> cells;  // the heading first
    bool is_text = false;

    std::size_t width() const {
        std::size_t widest = 0;
        for (const std::string& each : cells) widest = std::max(widest, apps::cells_of(each));
        return widest;
    }
};

// With half of the distance between the lowest and the highest run, where that is not nothing.
std::string with_range(const column& what, const spread& values) {
    const double range = (values.highest - values.lowest) / 2 / values.median;
    return show(what.what, values.median) + (range >= 0.005 ? fmt::format(" ±{:.0f}%", range * 100) : "     ");
}

text_column column_for(const column& what, const std::vector<const row*>& rows, const results& all) {
    // Of a single request there are no shares.
    const bool is_single = std::ranges::none_of(rows, [](const row* each) {
        return std::ranges::any_of(each->runs, [](const measurement& run) { return run.answered > 1; });
    });
    text_column made{.key = what.key, .cells = {is_single && what.key == "p50_ns" ? "waited" : std::string{what.name}}};
    for (const row* each : rows) {
        const auto value = value_of(what, *each, all);
        const bool tells_range =
            what.key == "requests_per_second" && value && value->median > 0 && each->runs.size() > 1;
        made.cells.push_back(!value || (each->runs.empty() && what.of != nullptr) ? "-"
                             : tells_range                                        ? with_range(what, *value)
                                                                                  : show(what.what, value->median));
    }
    return made;
}

bool is_worth_showing(const column& what, const std::vector<const row*>& rows, const results& all) {
    return std::ranges::find(by_importance, what.key) != by_importance.end() &&
           std::ranges::any_of(rows, [&](const row* each) { return value_of(what, *each, all).has_value(); });
}

std::vector<text_column> columns_for(const std::vector<const row*>& rows, const results& all, std::size_t width) {
    std::vector<text_column> made{{.key = "", .cells = {""}, .is_text = true}};
    text_column troubles{.key = "", .cells = {""}, .is_text = true};
    for (const row* each : rows) {
        made.front().cells.push_back(each->server);
        troubles.cells.push_back(apps::sanitize(troubles_of(*each), apps::text_context::text));
    }
    for (const column& each : columns())
        if (is_worth_showing(each, rows, all)) made.push_back(column_for(each, rows, all));
    made.push_back(std::move(troubles));
    const auto needed = [&made] {
        std::size_t cells = 0;
        for (const text_column& each : made) cells += each.width() + 2;
        return cells;
    };
    for (std::size_t kept = by_importance.size(); kept > 4 && needed() > width; --kept)
        std::erase_if(made, [key = by_importance[kept - 1]](const text_column& each) { return each.key == key; });
    return made;
}

std::string table_of(const std::vector<const row*>& rows, const results& all, std::size_t width) {
    const std::vector<text_column> made = columns_for(rows, all, width);
    std::string text;
    for (std::size_t line = 0; line <= rows.size(); ++line) {
        std::string cells;
        for (const text_column& each : made) {
            const std::string gap(each.width() - apps::cells_of(each.cells[line]), ' ');
            cells += "  " + (each.is_text ? each.cells[line] + gap : gap + each.cells[line]);
        }
        text += cells.substr(0, cells.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

}  // namespace

std::string to_text(const results& all, std::size_t width) {
    std::string text;
    for (const scenario_results& each : all.scenarios) {
        text += fmt::format("{}. {}\n", each.title, each.question);
        const bool is_one_level =
            std::ranges::all_of(each.rows, [&](const row& one) { return one.level == each.rows.front().level; });
        for (auto from = each.rows.begin(); from != each.rows.end();) {
            std::vector<const row*> rows;
            for (const unsigned level = from->level; from != each.rows.end() && from->level == level; ++from)
                rows.push_back(&*from);
            if (!is_one_level)
                text += fmt::format("\n  {} {}\n", show(quantity::whole, rows.front()->level),
                                    rows.front()->level == 1 ? "connection" : "connections");
            text += table_of(rows, all, width);
        }
        text += "\n";
    }
    for (const std::string& each : all.findings) text += "- " + each + "\n";
    for (const std::string& each : all.remarks) text += "! " + each + "\n";
    return text;
}

}  // namespace comparison
