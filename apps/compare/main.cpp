// SPDX-License-Identifier: MIT
// One server, eight ways to wait: compares them, runs one of them, or shows its source.
// Try:  ringlet-compare
#include "common/file_limit.hpp"
#include "common/port_in_use.hpp"
#include "compare/catalogue.hpp"
#include "compare/compare_command.hpp"
#include "compare/load/load_command.hpp"
#include "compare/measure/server.hpp"
#include "compare/options.hpp"
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>

#include <unistd.h>

namespace {

// At once, whatever it waits for: nothing is lost by it.
void end_by_signal(int) { ::_exit(0); }

int serve(const comparison::options& how) {
    const comparison::site pages = how.root.empty() ? comparison::site{} : comparison::site{how.root};
    auto listener = apps::bind_or_explain("TCP", how.address, [](const ringlet::net::endpoint& address) {
        return ringlet::net::tcp_listener::bind(address);
    });
    std::signal(SIGINT, end_by_signal);
    std::signal(SIGTERM, end_by_signal);
    fmt::print("Serving at http://{}/, model {}\n", listener.local_endpoint(), how.which->name);
    std::fflush(stdout);
    how.which->serve(listener, pages);
    return 0;
}

int list() {
    for (const auto all : {comparison::models(), comparison::program_forms()})
        for (const comparison::model& each : all)
            fmt::print("{:<16} {:>3} lines  {}\n", each.name, comparison::lines_of_code(each), each.summary);
    return 0;
}

int show(const comparison::model& which) {
    fmt::print("{}", which.source);
    if (!which.shared.empty()) fmt::print("\n{}", which.shared);
    return 0;
}

template <class Function>
int on_a_loop(int argc, char** argv, Function function) {
    comparison::divide_processors();
    ringlet::loop_options options;
    // The clients' processor has nothing else to do, and one that has gone to sleep needs long to wake up.
    if (comparison::processors_of_run().are_apart()) options.spin = std::chrono::milliseconds{1};
    return ringlet::run_main(argc, argv, [&](ringlet::arguments) { return function(); }, options);
}

}  // namespace

int main(int argc, char** argv) {
    comparison::options how;
    if (const auto status = comparison::parse_options(argc, argv, how)) return *status;
    apps::raise_file_limit();
    try {
        switch (how.what) {
            case comparison::action::list:
                return list();
            case comparison::action::show:
                return show(*how.which);
            case comparison::action::explain:
                comparison::explain_columns();
                return 0;
            case comparison::action::serve:
                return serve(how);
            case comparison::action::compare:
                return on_a_loop(argc, argv, [&] { return comparison::run_comparison(how.compare); });
            case comparison::action::load:
                return on_a_loop(argc, argv, [&] { return comparison::run_load(how.load); });
            case comparison::action::program:
                return how.beside.run(argc, argv);
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "ringlet-compare: {}\n", error.what());
    }
    return 1;
}
