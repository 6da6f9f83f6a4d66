// SPDX-License-Identifier: MIT
#include "compare/report/html.hpp"

#include "compare/page_sources.hpp"
#include "compare/report/columns.hpp"
#include "compare/report/parts.hpp"

#include <fmt/format.h>

namespace comparison {
namespace {

using page::named;
using page::shown;

std::string list_of(std::string_view element, const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& each : texts) out += fmt::format("<li>{}</li>\n", shown(each));
    return out.empty() ? out : fmt::format("<{0}>\n{1}</{0}>\n", element, out);
}

std::string head(const results& all) {
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><meta name=\"generator\" "
        "content=\"ringlet-compare {0}\"><title>One server, many ways to wait</title><link rel=\"icon\" "
        "href=\"data:,\">"
        "<style>\n{1}</style></head>\n<body><main>\n<header><h1>One server, many ways to wait</h1>\n<p class=\"muted\">"
        "ringlet-compare {0}, {2}, {3} seconds, {4} {5} of each</p></header>\n",
        shown(all.version), sources::page, shown(all.began), show(quantity::whole, all.took_seconds), all.repetitions,
        all.repetitions == 1 ? "run" : "runs");
}

std::string findings(const results& all) {
    std::string out = "<section class=\"findings\" id=\"findings\">\n<h2>What was found</h2>\n";
    out += list_of("ol", all.findings);
    if (all.findings.empty()) out += "<p>Nothing can be said for certain.</p>\n";
    if (!all.remarks.empty()) out += "<h3>To be borne in mind</h3>\n" + list_of("ul", all.remarks);
    return out + "</section>\n";
}

std::string contents(const results& all) {
    std::string out = "<nav aria-label=\"Contents\"><ul>\n";
    for (const scenario_results& each : all.scenarios)
        out += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", shown(each.name), shown(each.title));
    return out +
           "<li><a href=\"#servers\">The servers</a></li>\n<li><a href=\"#columns\">What the figures "
           "mean</a></li>\n<li><a href=\"#choosing\">When to choose what</a></li>\n"
           "<li><a href=\"#surroundings\">Where it was measured</a></li>\n</ul></nav>\n";
}

std::string kind_of(const server_facts& one) {
    if (one.is_peer) return one.version.empty() ? "a program of others" : "a program of others, " + shown(one.version);
    return one.is_extra ? "an extra, for fairness" : "";
}

std::string servers(const results& all, const looks& styles) {
    std::string out =
        "<section id=\"servers\">\n<h2>The servers</h2>\n<p>They share the parser, the pages and the limits; only how "
        "they "
        "wait differs. Each has the same colour and sign throughout.</p>\n<div class=\"scroll\" role=\"region\" "
        "tabindex=\"0\" "
        "aria-label=\"Table: the servers\"><table class=\"facts\"><caption><span>The servers, and the lines of code of "
        "what "
        "differs between them</span></caption>\n<thead><tr><th scope=\"col\">server</th><th "
        "scope=\"col\">lines</th><th scope=\"col\">how it "
        "waits</th></tr></thead>\n<tbody>\n";
    for (const server_facts& each : all.servers) {
        const std::string kind = kind_of(each);
        out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}{}{}</td></tr>\n", named(each.name, styles),
                           each.lines ? show(quantity::whole, static_cast<double>(*each.lines)) : "–",
                           shown(each.summary), each.summary.empty() || kind.empty() ? "" : "; ", kind);
    }
    return out + "</tbody></table></div>\n</section>\n";
}

std::string explanations() {
    std::string out =
        "<section id=\"columns\">\n<h2>What the figures mean</h2>\n<p>Where the ranges of two servers overlap, no "
        "difference "
        "between them can be claimed. A dash stands for what was not measured, and where "
        "there were too few requests to say anything.</p>\n<dl>\n";
    for (const column& each : columns())
        out += fmt::format("<dt>{} <span class=\"muted\">{}</span></dt><dd>{}</dd>\n", each.name, each.unit,
                           each.explanation);
    return out + "</dl>\n</section>\n";
}

std::string where_measured(const results& all) {
    std::string out = "<section id=\"surroundings\">\n<h2>Where it was measured</h2>\n<dl>\n";
    for (const auto& [what, how] : all.where) out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", shown(what), shown(how));
    return out + fmt::format("<dt>seed</dt><dd>{}</dd>\n</dl>\n</section>\n", all.seed);
}

}  // namespace

std::string to_html(const results& all) {
    const looks styles{all};
    std::string out = head(all) + "<div class=\"top\">\n" + findings(all) + contents(all) + "</div>\n";
    for (const scenario_results& each : all.scenarios) out += page::section_of(each, all, styles);
    out += servers(all, styles) + explanations();
    out += sources::choosing;
    return out + where_measured(all) + "</main></body></html>\n";
}

}  // namespace comparison
