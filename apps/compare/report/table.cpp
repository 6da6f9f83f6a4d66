// SPDX-License-Identifier: MIT
#include "common/html.hpp"
#include "common/sanitize.hpp"
#include "compare/report/parts.hpp"
#include "compare/report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace comparison::page {
namespace {

// Those in which there is something to say of a server.
std::vector<const column*> columns_for(const scenario_results& one, const results& all) {
    std::vector<const column*> used;
    for (const column& each : columns())
        if (std::ranges::any_of(one.rows, [&](const row& of) { return value_of(each, of, all).has_value(); }))
            used.push_back(&each);
    return used;
}

std::string head_of(const std::vector<const column*>& used) {
    std::string groups = "<tr><th scope=\"col\" rowspan=\"2\">server</th>";
    std::string names = "<tr>";
    for (std::size_t i = 0; i < used.size();) {
        const std::string_view group = used[i]->group;
        std::size_t wide = 0;
        for (; i < used.size() && used[i]->group == group; ++i, ++wide)
            names += fmt::format("<th scope=\"col\"{}>{}</th>", wide == 0 ? " class=\"first\"" : "", used[i]->name);
        groups += fmt::format("<th scope=\"colgroup\" colspan=\"{}\" class=\"first\">{}</th>", wide, group);
    }
    return "<thead>" + groups + "</tr>" + names + "</tr></thead>\n";
}

std::string cell(const column& what, const row& one, const std::optional<spread>& values) {
    if (!values) return "–";
    const std::string middle = show(what.what, values->median);
    if (what.key == "served") {
        const auto asked = static_cast<double>(one.runs.front().connections);
        if (values->lowest < asked)
            return fmt::format("<strong>{} of {}</strong>", show(what.what, values->lowest), show(what.what, asked));
        return middle;
    }
    if (what.key == "errors" && values->highest > 0)
        return fmt::format("<strong>{}</strong>", show_range(what.what, *values));
    const std::string range = show_range(what.what, *values);
    return range.find("–") == std::string::npos ? middle : fmt::format("{}<small>{}</small>", middle, range);
}

std::string body_row(const row& one, const std::vector<const column*>& used, const results& all, const looks& styles) {
    std::string out = fmt::format("<tr><th scope=\"row\">{}</th>", named(one.server, styles));
    if (!one.why_not.empty() && one.runs.empty())
        return out + fmt::format("<td class=\"why\" colspan=\"{}\"><span>not run: {}</span></td></tr>\n", used.size(),
                                 shown(one.why_not));
    std::string_view group = "";
    for (const column* each : used) {
        out += fmt::format("<td{}>{}</td>", each->group == group ? "" : " class=\"first\"",
                           cell(*each, one, value_of(*each, one, all)));
        group = each->group;
    }
    return out + "</tr>\n";
}

std::string connections(unsigned level) {
    return show(quantity::whole, level) + (level == 1 ? " connection" : " connections");
}

}  // namespace

std::string shown(std::string_view text) { return apps::escape_html(apps::sanitize(text, apps::text_context::text)); }

std::string named(std::string_view server, const looks& styles) {
    return svg::key(styles.of(server), styles.class_of(server)) + shown(server);
}

std::string table_of(const scenario_results& one, const results& all, const looks& styles) {
    const std::vector<const column*> used = columns_for(one, all);
    std::string out = fmt::format(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table: {0}\"><table><caption><span>{0}: the "
        "middle of "
        "{1} {2}, and below it the lowest and the highest</span></caption>\n{3}",
        shown(one.title), all.repetitions, all.repetitions == 1 ? "run" : "runs", head_of(used));
    for (auto from = one.rows.begin(); from != one.rows.end();) {
        const unsigned level = from->level;
        const auto to = std::find_if(from, one.rows.end(), [&](const row& each) { return each.level != level; });
        out += "<tbody>";
        // One level needs no line of its own: the title says it.
        if (from != one.rows.begin() || to != one.rows.end())
            out += fmt::format("<tr><th class=\"level\" scope=\"rowgroup\" colspan=\"{}\"><span>{}</span></th></tr>\n",
                               used.size() + 1, connections(level));
        for (; from != to; ++from) out += body_row(*from, used, all, styles);
        out += "</tbody>\n";
    }
    return out + "</table></div>\n";
}

}  // namespace comparison::page
