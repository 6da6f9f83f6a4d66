// SPDX-License-Identifier: MIT
// Prints the report of results that nobody measured.
// usage: sample-report html|json small|full|odd|empty
#include "compare/catalogue.hpp"
#include "compare/report/html.hpp"
#include "compare/report/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string_view>

namespace {

using namespace comparison;
using namespace std::chrono_literals;

// What a server is like: figures of no machine, in the right order of size.
struct nature {
    std::string_view name;
    double per_second;  // at 64 connections
    nanoseconds cpu;
    double calls;
    double switches;
    double bytes_per_connection;
    double tail;  // how the slowest are slower than the middle: a power
    unsigned threads_per_connection = 0;
    unsigned processes_per_connection = 0;
};

constexpr std::array natures{
    nature{"sequential", 102'000, 6'800ns, 2.0, 0.98, 0, 0.12},
    nature{"process", 68'400, 9'600ns, 2.0, 1.05, 307'000, 0.62, 1, 1},
    nature{"thread", 71'200, 9'100ns, 2.0, 1.02, 13'900, 0.58, 1},
    nature{"nonblocking", 91'300, 10'900ns, 63.4, 0.01, 1'450, 0.22},
    nature{"epoll", 139'000, 5'100ns, 2.06, 0.09, 1'380, 0.20},
    nature{"coroutine", 151'000, 4'480ns, 0.19, 0.08, 1'020, 0.19},
    nature{"threadpool", 84'700, 8'300ns, 2.0, 0.9, 12'800, 0.45},
    nature{"uring", 156'000, 4'310ns, 0.17, 0.08, 690, 0.18},
    nature{"nginx", 128'000, 6'200ns, 3.1, 0.11, 2'260, 0.24},
    nature{"gevent", 21'800, 45'000ns, 4.4, 0.2, 10'400, 0.3},
    nature{"go", 57'300, 17'500ns, 3.6, 0.4, 8'200, 0.5},
};

latencies times_around(nanoseconds middle, double tail, std::uint64_t requests) {
    latencies out;
    const auto steps = std::min<std::uint64_t>(requests, 4000);
    for (std::uint64_t i = 0; i <= steps; ++i) {
        // Denser towards the end, as the tail is what is looked at.
        const double share = i == steps ? 1 : 1 - std::pow(1 - static_cast<double>(i) / static_cast<double>(steps), 2);
        const double rare = std::max(1 - share, 1 / static_cast<double>(std::max<std::uint64_t>(requests, 2)));
        const double factor = 0.55 + 0.45 * std::min(share, 0.5) * 2 + (std::pow(0.5 / std::min(rare, 0.5), tail) - 1);
        const nanoseconds time{static_cast<std::int64_t>(static_cast<double>(middle.count()) * factor)};
        if (out.curve.empty() || share > out.curve.back().share) out.curve.push_back({share, time});
    }
    return out;
}

measurement run_of(const nature& who, unsigned level, double per_second, nanoseconds middle, int repetition) {
    const double wobble =
        1 + 0.013 * (repetition - 1) + 0.002 * static_cast<double>(who.name.size() % 5) * (repetition - 1);
    measurement run;
    run.seconds = 1.5;
    run.answered = static_cast<std::uint64_t>(per_second * wobble * run.seconds);
    run.answered_ever = run.answered + run.answered / 8;
    run.connections = level;
    run.served = who.name == "sequential" ? 1 : level;
    if (who.name == "threadpool") run.served = std::min(level, 64U);
    run.times = times_around(nanoseconds{static_cast<std::int64_t>(static_cast<double>(middle.count()) / wobble)},
                             who.tail, run.answered);
    const double requests = static_cast<double>(run.answered_ever);
    const auto cpu = nanoseconds{static_cast<std::int64_t>(static_cast<double>(who.cpu.count()) / wobble * requests)};
    run.user = cpu / 4;
    run.system = cpu - run.user;
    run.switches_voluntary = static_cast<std::uint64_t>(who.switches * requests * 0.9);
    run.switches_forced = static_cast<std::uint64_t>(who.switches * requests * 0.1);
    run.memory_grown_bytes = static_cast<std::int64_t>(who.bytes_per_connection * level * wobble);
    run.memory_bytes = 1'900'000 + static_cast<std::uint64_t>(run.memory_grown_bytes);
    run.processes = 1 + who.processes_per_connection * level;
    run.threads = 1 + who.threads_per_connection * level;
    return run;
}

row row_of(const nature& who, unsigned level, double per_second, nanoseconds middle) {
    row one{.server = std::string{who.name}, .level = level, .calls_per_request = who.calls};
    for (int i = 0; i < 3; ++i) one.runs.push_back(run_of(who, level, per_second, middle, i));
    return one;
}

scenario_results keepalive(std::span<const nature> who, std::span<const unsigned> levels) {
    scenario_results one{.name = "keepalive",
                         .title = "64 clients on one connection each, as fast as they are answered",
                         .question = "How many requests does each model get through, and how long does each take?"};
    if (levels.size() > 1) one.title = "1 to 10,000 clients on one connection each, as fast as they are answered";
    for (const unsigned level : levels) {
        for (const nature& each : who) {
            const bool alone = each.name == "sequential";
            double rate = each.per_second * std::min(1.0, 0.25 + 0.2 * std::log10(level)) * (level > 1000 ? 0.8 : 1);
            if (each.name == "nonblocking" && level > 64) rate *= 64.0 / level;
            if (level == 64) rate = each.per_second;
            const unsigned waiting = alone ? 1 : level;
            row& made = one.rows.emplace_back(
                row_of(each, level, rate, nanoseconds{static_cast<std::int64_t>(0.9e9 * waiting / rate)}));
            if (level >= 10'000 && each.processes_per_connection + each.threads_per_connection > 0) {
                made = {.server = std::string{each.name}, .level = level};
                made.why_not =
                    "10,000 would need more processes and threads than the limit of 4,096 that it sets itself";
            }
        }
    }
    return one;
}

scenario_results slow(std::span<const nature> who) {
    scenario_results one{.name = "slow",
                         .title = "32 clients ask for a page that takes 50 ms",
                         .question = "Does one request that takes its time hold up the others?"};
    for (const nature& each : who) {
        const bool alone = each.name == "sequential";
        nature calm = each;
        calm.tail = 0.004 + each.tail / 100;
        one.rows.push_back(row_of(calm, 32, alone ? 19.9 : 634, alone ? 50'210'000ns : 50'400'000ns));
    }
    return one;
}

scenario_results silent(std::span<const nature> who) {
    scenario_results one{
        .name = "silent",
        .title = "One connection that says nothing, and one that asks",
        .question = "A browser opens a connection ahead of time and sends nothing. Who else is served?"};
    int number = 0;
    for (const nature& each : who) {
        const bool waits = each.name == "sequential";
        const nanoseconds answer = waits ? 900'400'000ns : nanoseconds{92'000 + 17'000 * number++};
        row made = row_of(each, 1, 0, answer);
        for (measurement& run : made.runs) {
            run.answered = run.answered_ever = 1;
            run.times.curve = {{0, answer}, {1, answer}};
            run.served = 1;
            run.seconds = 1;
        }
        made.timeline = {{"the silent one", interval::kind::silent, 0ns, 1'000'000'000ns},
                         {"the other one", interval::kind::waits, 100'000'000ns, 100'000'000ns + answer},
                         {"the other one", interval::kind::answered, 100'000'000ns + answer, 100'000'000ns + answer}};
        one.rows.push_back(made);
    }
    return one;
}

scenario_results open_loop(std::span<const nature> who, std::string name, std::string title, unsigned level,
                           double rate) {
    scenario_results one{.name = std::move(name),
                         .title = std::move(title),
                         .question = "How long does a request take when the load does not wait for the server?",
                         .is_open_loop = true,
                         .rate = rate};
    for (const nature& each : who) {
        row& made = one.rows.emplace_back(row_of(each, level, rate, each.cpu * 12));
        if (each.name == "sequential") {
            for (measurement& run : made.runs) {
                run.answered = 0;
                run.answered_ever = 0;
                run.times.curve.clear();
                run.served = 0;
                run.errors[static_cast<std::size_t>(error_kind::timed_out)] = 412;
            }
        }
        if (each.name == "gevent") {
            made.runs[1].errors[static_cast<std::size_t>(error_kind::reset)] = 3;
            made.runs[2].errors[static_cast<std::size_t>(error_kind::timed_out)] = 17;
        }
    }
    return one;
}

results frame(std::span<const nature> who) {
    results all{
        .version = "0.9.0", .began = "2026-02-03T04:05:06Z", .took_seconds = 47.3, .repetitions = 3, .seed = 4711};
    all.where = {{"kernel", "Linux 6.18.5"},
                 {"processor", "AMD EPYC 9R14, 2 processors, governor unknown"},
                 {"engine", "io_uring"},
                 {"limits", "1,048,576 descriptors, 63,000 processes, somaxconn 4,096"},
                 {"compiler", "clang 19.1.7, -O2"},
                 {"network", "loopback: no packet leaves this machine"}};
    for (const nature& each : who) {
        if (const model* known = find_model(each.name)) {
            all.servers.push_back({.name = std::string{each.name},
                                   .summary = std::string{known->summary},
                                   .lines = lines_of_code(*known),
                                   .is_extra = known->is_extra});
        } else {
            all.servers.push_back({.name = std::string{each.name}, .version = "1.2.3", .is_peer = true});
        }
    }
    all.findings = {
        "One client that says nothing stops the sequential server for everybody; no other model minds.",
        "The coroutine server answers 2.1 times as many requests a second as a thread for each connection, and "
        "uses half the processor time for each.",
        "epoll and coroutine differ by less than two runs of the same server do: choose by how the code reads."};
    all.remarks = {"These figures were made up to show the page; nobody measured them.",
                   "Load and server share two processors, so the rates are lower than they would be apart."};
    return all;
}

results small() {
    const auto who = std::span{natures}.first(6);
    results all = frame(who);
    constexpr std::array levels{64U};
    all.scenarios = {silent(who), keepalive(who, levels), slow(who)};
    return all;
}

results full() {
    const std::span<const nature> who{natures};
    results all = frame(who);
    constexpr std::array levels{1U, 10U, 64U, 100U, 1000U, 10'000U};
    scenario_results brief = keepalive(who, std::span{levels}.first(4));
    brief.name = "short";
    brief.title = "A connection for each request";
    all.scenarios = {silent(who),
                     keepalive(who, levels),
                     slow(who),
                     brief,
                     open_loop(who, "idle", "1,000 connections that do nothing, and a few that ask", 1000, 500),
                     open_loop(who, "readers", "Readers that take their time over 1 MiB, and normal ones", 64, 200),
                     open_loop(who, "open", "20,000 requests a second at set times", 64, 20'000)};
    all.scenarios[5].rows[1] = {.server = "process", .level = 64, .why_not = "fork: Resource temporarily unavailable"};
    return all;
}

// Nothing of it should ever come, and all of it must be shown.
results odd() {
    const std::string evil = "</script><b>\"x'&\\\x1b[2J\xff\xe2\x80\xae\n";
    results all{.version = evil, .began = evil, .repetitions = 1, .seed = std::numeric_limits<std::uint64_t>::max()};
    all.took_seconds = std::numeric_limits<double>::quiet_NaN();
    all.where = {{evil, evil}, {evil, ""}};
    all.servers = {{.name = evil, .summary = evil, .version = evil, .is_peer = true}};
    all.findings = {evil};
    all.remarks = {evil, std::string(300, 'w')};
    measurement zero;
    zero.connections = 64;
    measurement strange = run_of(natures[0], 64, 1000, 1ms, 0);
    strange.seconds = std::numeric_limits<double>::infinity();
    strange.memory_grown_bytes = -5'000;
    strange.errors = {1, 2, 3, 4, 5, 6};
    scenario_results one{.name = "odd", .title = evil, .question = evil, .is_open_loop = true, .rate = -1};
    one.rows = {{.server = evil, .level = 64, .runs = {zero, strange}},
                {.server = "without runs", .level = 64},
                {.server = "unknown", .level = 0, .runs = {zero}, .calls_per_request = std::nan(""), .why_not = evil}};
    all.scenarios = {one, {.name = "no rows"}};
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view form = argc == 3 ? argv[1] : "";
    const std::string_view which = argc == 3 ? argv[2] : "";
    results all;
    if (which == "small") all = small();
    if (which == "full") all = full();
    if (which == "odd") all = odd();
    if (form == "html") fmt::print("{}", to_html(all));
    if (form == "json") fmt::print("{}\n", to_json(all));
    return form == "html" || form == "json" ? 0 : 2;
}
