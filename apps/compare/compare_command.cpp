// SPDX-License-Identifier: MIT
#include "compare/compare_command.hpp"

#include "common/terminal.hpp"
#include "compare/measure/compare.hpp"
#include "compare/measure/peers.hpp"
#include "compare/report/columns.hpp"
#include "compare/report/html.hpp"
#include "compare/report/json.hpp"
#include "compare/report/text.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/os/signal.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include <unistd.h>

namespace comparison {
namespace {

constexpr std::size_t width_without_terminal = 160;

void tell_progress(std::string_view scenario, std::string_view server, std::size_t done, std::size_t all) {
    fmt::print(stderr, "\r\x1b[K{:>3}%  {}: {}", done * 100 / all, scenario, server);
    std::fflush(stderr);
}

void wipe_progress() {
    fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
}

std::vector<std::string_view> servers_of(const compare_options& how) {
    std::vector<std::string_view> all{how.servers.begin(), how.servers.end()};
    if (!all.empty()) return all;
    for (const model& each : models())
        if (how.full || !each.is_extra) all.push_back(each.name);
    if (how.full) all.insert(all.end(), peer_names.begin(), peer_names.end());
    return all;
}

std::vector<const scenario*> scenarios_of(const compare_options& how) {
    std::vector<const scenario*> all;
    for (const std::string& name : how.scenarios) all.push_back(find_scenario(name));
    if (all.empty())
        for (const scenario& each : scenarios())
            if (how.full || !each.levels.empty()) all.push_back(&each);
    return all;
}

ringlet::task<results> compare_all(const compare_options& how) {
    const site pages;
    const peers others{pages};
    comparison_plan plan{.subjects = {},
                         .scenarios = scenarios_of(how),
                         .full = how.full,
                         .repetitions = how.repetitions,
                         .seed = how.seed};
    std::vector<std::string> missing;
    for (const std::string_view name : servers_of(how)) {
        if (const model* const ours = find_model(name)) {
            plan.subjects.push_back(subject_of(*ours));
            continue;
        }
        try {
            plan.subjects.push_back(co_await others.find(name));
        } catch (const std::runtime_error& error) {
            if (!how.servers.empty()) throw;
            missing.push_back(fmt::format("{} is not compared: {}.", name, error.what()));
        }
    }
    const bool shows = apps::can_draw(STDERR_FILENO);
    progress tell = [](auto&&...) {};
    if (shows) tell = tell_progress;
    results found = co_await compare(plan, tell);
    if (shows) wipe_progress();
    found.remarks.insert(found.remarks.end(), missing.begin(), missing.end());
    co_return found;
}

std::size_t width_of_output() {
    if (::isatty(STDOUT_FILENO) != 1) return width_without_terminal;
    return apps::terminal_window(STDOUT_FILENO, true).columns;
}

ringlet::task<int> until_interrupted() {
    const int number = co_await ringlet::until_signal(SIGINT, SIGTERM);
    co_return 128 + number;
}

}  // namespace

ringlet::task<int> run_comparison(const compare_options& how) {
    std::ofstream page;
    if (!how.html.empty()) {  // before the minutes that the rest takes
        page.open(how.html);
        if (!page) throw std::system_error{errno, std::generic_category(), how.html};
    }
    adopt_orphans();
    auto end = co_await ringlet::first_of(until_interrupted(), compare_all(how));
    if (end.index() == 0) co_return std::get<0>(end);
    const results found = std::get<1>(std::move(end));
    if (how.json)
        fmt::print("{}\n", to_json(found));
    else
        fmt::print("{}", to_text(found, width_of_output()));
    if (page.is_open()) {
        page << to_html(found) << std::flush;
        if (!page) throw std::system_error{errno, std::generic_category(), how.html};
        if (!how.json) fmt::print("With plots: {}\n", how.html);
    }
    co_return 0;
}

void explain_columns() {
    for (const column& each : columns()) fmt::print("{:<20} {}\n", each.name, each.explanation);
}

}  // namespace comparison
