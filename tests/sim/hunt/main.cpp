// SPDX-License-Identifier: MIT
// Runs each workload in the simulated kernel, once for every seed, twice where the traces are compared. Ends with the first
// seed that breaks an invariant, and says how to run it again.
// Try:  sim_hunt --seeds 100000 --only http
#include "hunt/workloads.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

namespace {

namespace testing = ringlet::testing;
using ringlet_hunt::workload;
using testing::fault_plan;

// Long streams: seldom an error, often something short.
const fault_plan choppy =
    fault_plan::harmless(0.1).with(testing::fault::no_memory, 0.002).with(testing::fault::no_frame, 0.01);

const workload workloads[] = {
    {"tcp", fault_plan::everything(0.04), 0.25, &ringlet_hunt::exchange_over_tcp},
    {"datagrams", fault_plan::everything(0.05), 0.5, &ringlet_hunt::exchange_datagrams},
    {"http", fault_plan::everything(0.04), 0.25, &ringlet_hunt::get_over_http},
    {"files", fault_plan::everything(0.05), 0.25, &ringlet_hunt::replace_a_file},
    {"pipes", choppy, 0.25, &ringlet_hunt::hand_on_through_pipes},
};

struct arguments {
    std::uint64_t seeds = 2000;
    std::uint64_t first = 1;
    std::string only;
    bool once = false;
};

bool hunt(const workload& what, const arguments& how) {
    testing::hunt_options options;
    options.first_seed = how.first;
    options.seeds = how.seeds;
    options.faults = what.faults;
    // Of a few runs nothing can be said.
    options.success_share = how.seeds >= 100 ? what.success_share : 0;
    options.twice = !how.once;
    const auto begin = std::chrono::steady_clock::now();
    try {
        const auto report = testing::hunt(options, what.run);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        fmt::print("{}: {}; {:.1f} s\n", what.name, report.to_string(), took.count());
        return true;
    } catch (const std::exception& broken) {
        fmt::print("{}: {}\n  again: --only {} --seeds 1 --first SEED\n", what.name, broken.what(), what.name);
        return false;
    }
}

}  // namespace

int main(int argc, char** argv) {
    arguments how;
    CLI::App app{"Looks for seeds that break an invariant."};
    app.add_option("--seeds", how.seeds, "So many for each workload")->capture_default_str();
    app.add_option("--first", how.first, "The first seed")->capture_default_str();
    app.add_option("--only", how.only, "This workload only");
    app.add_flag("--once", how.once, "Each seed once: no comparison of traces");
    CLI11_PARSE(app, argc, argv);
    bool well = true;
    std::size_t run = 0;
    for (const workload& what : workloads) {
        if (!how.only.empty() && how.only != what.name) continue;
        ++run;
        well = hunt(what, how) && well;
    }
    if (run == 0) fmt::print(stderr, "there is no workload '{}'\n", how.only);
    return well && run > 0 ? 0 : 1;
}
