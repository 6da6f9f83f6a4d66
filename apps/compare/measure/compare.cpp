// SPDX-License-Identifier: MIT
#include "compare/measure/compare.hpp"

#include "compare/measure/run.hpp"
#include "compare/measure/surroundings.hpp"
#include "compare/report/findings.hpp"
#include <ringlet/time/clock.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <exception>
#include <numeric>
#include <random>
#include <utility>

namespace comparison {
namespace {

// What is measured apart from the runs, once: at the requests that are most of all.
constexpr std::string_view looked_at_scenario = "keepalive";
constexpr unsigned looked_at_level = 64;

std::string now_in_utc() {
    std::tm parts{};
    const std::time_t now = std::time(nullptr);
    ::gmtime_r(&now, &parts);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

class campaign {
public:
    campaign(const comparison_plan& plan, const progress& tell) : plan_{plan}, tell_{tell}, order_{plan.seed} {
        for (const scenario* each : plan.scenarios)
            all_runs_ += levels_of(*each).size() * plan.subjects.size() * plan.repetitions;
    }

    ringlet::task<results> run() {
        const auto begin = ringlet::clock::now();
        results all;
        all.version = RINGLET_VERSION;
        all.began = now_in_utc();
        all.repetitions = plan_.repetitions;
        all.seed = plan_.seed;
        for (const subject& each : plan_.subjects) all.servers.push_back(each.facts);
        for (const scenario* each : plan_.scenarios) all.scenarios.push_back(co_await run_all(*each));
        all.where = surroundings_here();
        all.remarks = std::move(remarks_);
        for (std::string& each : remarks_here()) all.remarks.push_back(std::move(each));
        all.findings = findings_in(all);
        all.took_seconds = std::chrono::duration<double>(ringlet::clock::now() - begin).count();
        co_return all;
    }

private:
    const std::vector<unsigned>& levels_of(const scenario& what) const noexcept {
        return plan_.full || what.levels.empty() ? what.more_levels : what.levels;
    }

    ringlet::task<scenario_results> run_all(const scenario& what) {
        scenario_results all{.name = std::string{what.name},
                             .title = {},
                             .question = std::string{what.question},
                             .is_open_loop = what.rate > 0,
                             .rate = what.rate,
                             .rows = {}};
        const auto& levels = levels_of(what);
        all.title = fmt::format(fmt::runtime(what.title),
                                levels.size() > 1 ? std::string{"N"} : std::to_string(levels.front()));
        for (const unsigned level : levels) co_await run_level(what, level, all.rows);
        co_return all;
    }

    ringlet::task<> run_level(const scenario& what, unsigned level, std::vector<row>& rows) {
        const std::size_t first = rows.size();
        for (std::size_t i = 0; i < plan_.subjects.size(); ++i) {
            row& made = rows.emplace_back();
            made.server = plan_.subjects[i].facts.name;
            made.level = level;
            made.why_not = why_not(what, level, plan_.subjects[i]);
        }
        for (unsigned repetition = 0; repetition < plan_.repetitions; ++repetition)
            for (const std::size_t i : shuffled()) {
                tell_(what.name, plan_.subjects[i].facts.name, done_runs_++, all_runs_);
                row& into = rows[first + i];
                if (into.why_not.empty()) co_await run_row(what, plan_.subjects[i].command, into, repetition == 0);
            }
    }

    static std::string why_not(const scenario& what, unsigned level, const subject& who) {
        if (what.needs_our_pages && !who.has_our_pages) return "it has no such page";
        const std::uint64_t files = files_max();
        if (level + 100 > files)
            return fmt::format("{} connections, but only {} descriptors are allowed (ulimit -n)", level, files);
        return {};
    }

    ringlet::task<> run_row(const scenario& what, const server_command& who, row& into, bool is_first) {
        try {
            outcome found = co_await run_once(what, into.level, who, pages_);
            into.runs.push_back(std::move(found.all));
            if (!is_first) co_return;
            into.timeline = std::move(found.timeline);
            if (what.name != looked_at_scenario || into.level != looked_at_level) co_return;
            into.idle_connection_bytes = co_await measure_idle_connection(who, pages_);
        } catch (const std::exception& error) {
            into.why_not = error.what();
            co_return;
        }
        if (may_trace_) co_await count(what, who, into);
    }

    ringlet::task<> count(const scenario& what, const server_command& who, row& into) {
        try {
            if (const double calls = co_await count_calls(what, into.level, who, pages_); calls > 0)
                into.calls_per_request = calls;
        } catch (const std::exception& error) {
            may_trace_ = false;
            remarks_.push_back(fmt::format("system calls are not counted: {}", error.what()));
        }
    }

    std::vector<std::size_t> shuffled() {
        std::vector<std::size_t> all(plan_.subjects.size());
        std::iota(all.begin(), all.end(), std::size_t{0});
        std::ranges::shuffle(all, order_);
        return all;
    }

    const comparison_plan& plan_;
    const progress& tell_;
    std::mt19937_64 order_;
    site pages_;
    std::vector<std::string> remarks_;
    bool may_trace_ = true;
    std::size_t done_runs_ = 0;
    std::size_t all_runs_ = 0;
};

}  // namespace

subject subject_of(const model& which) {
    return {.facts = {.name = std::string{which.name},
                      .summary = std::string{which.summary},
                      .lines = lines_of_code(which),
                      .version = {},
                      .is_extra = which.is_extra,
                      .is_peer = false},
            .command = {.words = {"/proc/self/exe", "serve", std::string{which.name}, "--port", "0"}, .address = {}}};
}

ringlet::task<results> compare(const comparison_plan& plan, const progress& tell) {
    campaign all{plan, tell};
    results found = co_await all.run();
    co_return found;
}

}  // namespace comparison
