// SPDX-License-Identifier: MIT
#include "compare/options.hpp"

#include "common/options.hpp"
#include "compare/measure/peers.hpp"
#include "compare/measure/scenario.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace comparison {
namespace {

std::string model_names() {
    std::string all;
    for (const model& each : models()) all += (all.empty() ? "" : ", ") + std::string{each.name};
    return all;
}

std::string scenario_names() {
    std::string all;
    for (const scenario& each : scenarios()) all += (all.empty() ? "" : ", ") + std::string{each.name};
    return all;
}

void add_run(CLI::App& app, compare_options& into) {
    app.add_flag("--full", into.full, "All servers, scenarios and numbers of clients; takes minutes");
    app.add_option("--scenario", into.scenarios, "Only this one; may be repeated. There are " + scenario_names())
        ->type_name("NAME");
    app.add_option("--html", into.html, "Write a page with plots, too")->type_name("FILE");
    app.add_flag("--json", into.json, "Print all figures as JSON instead of tables");
    app.add_option("--repetitions", into.repetitions, "Runs of each server, alternating with the others")
        ->transform(apps::is_whole(1, 100))
        ->type_name("N")
        ->capture_default_str();
    app.add_option("--seed", into.seed, "Of the order, which is another one in each repetition")
        ->type_name("N")
        ->capture_default_str();
}

CLI::App* add_load(CLI::App& app, load_options& into) {
    auto* load = app.add_subcommand("load", "Ask a server at loopback as often as it answers, and look at every byte");
    load->add_option("URL", into.url, "http://127.0.0.1:PORT/PATH")->required();
    load->add_option("-c,--connections", into.connections, "Clients")
        ->transform(apps::is_whole(1, 20'000))
        ->type_name("N")
        ->capture_default_str();
    load->add_option("-d,--duration", into.seconds, "How long answers are counted, after 0.2 s of warming up")
        ->check(apps::is_duration())
        ->type_name("TIME")
        ->capture_default_str();
    load->add_option("--rate", into.rate, "So many requests a second at set times, whatever was answered: open loop")
        ->check(CLI::Range(0.1, 10e6))
        ->type_name("N");
    load->add_flag("--close", into.closes, "A connection for each request");
    load->add_flag("--json", into.json, "Print the figures as JSON");
    return load;
}

// Result: what is wrong, or nothing.
std::string choose(const std::string& name, std::span<const model> from, const model*& into) {
    const auto found = std::ranges::find(from, name, &model::name);
    if (found == from.end()) return fmt::format("no model is called {}; there are {}", name, model_names());
    into = &*found;
    return {};
}

std::string unknown_names(const compare_options& how) {
    for (const std::string& name : how.scenarios)
        if (find_scenario(name) == nullptr)
            return fmt::format("no scenario is called {}; there are {}", name, scenario_names());
    for (const std::string& name : how.servers)
        if (find_model(name) == nullptr && std::ranges::find(peer_names, name) == peer_names.end())
            return fmt::format("no server is called {}; there are {}, {}", name, model_names(),
                               fmt::join(peer_names, ", "));
    return {};
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, options& into) {
    std::string served;
    std::string shown;
    std::uint16_t port = into.address.port();
    bool listed = false;
    bool explained = false;
    apps::option_parser parser{
        "ringlet-compare",
        "One HTTP server in eight forms: threads, processes, polling, epoll, coroutines. They share everything but "
        "the\nway they wait. Without arguments: runs the six of the course beside each other, and says in a minute "
        "what "
        "each\nway of waiting costs and where it wins.",
        {"ringlet-compare                             the six, a silent client, busy ones and a slow handler",
         "ringlet-compare --full --html page.html     all there is, with plots; takes minutes",
         "ringlet-compare run thread coroutine        only these two",
         "ringlet-compare serve coroutine             one of them at 127.0.0.1:8000; try  curl "
         "http://127.0.0.1:8000/1k",
         "ringlet-compare load http://127.0.0.1:8000/1k   and what it can do",
         "ringlet-compare fetch thread -j 64 URL...   the downloader of the course, in three forms",
         "ringlet-compare chat thread HOST PORT       its chat, in two",
         "ringlet-compare --show epoll                its source",
         "ringlet-compare --list                      the forms, and how many lines each has"},
        "Files are read once, when a server starts. /slow is a page that takes 50 ms. These servers are for loopback\n"
        "and for comparing; ringlet-serve is the one to serve files with.\n\n"
        "Exit status: 0 when it is done, after Ctrl-C or SIGTERM of `serve` too; 1 when it could not run, or `load` "
        "had\n"
        "a wrong or missing answer; 2 for a wrong command line; 130 after Ctrl-C of a comparison, 143 after SIGTERM."};
    auto& app = parser.app();
    app.add_flag("--list", listed, "The models, one a line");
    app.add_flag("--explain", explained, "What the figures mean, a line each");
    app.add_option("--show", shown, "The source of a model")->type_name("MODEL");
    add_run(app, into.compare);
    auto* run = app.add_subcommand("run", "Compare these servers only");
    run->fallthrough();
    run->add_option(
           "SERVER", into.compare.servers,
           fmt::format("Of: {}; and, where they are installed, {}", model_names(), fmt::join(peer_names, ", ")))
        ->required();
    auto* serve = app.add_subcommand("serve", "Run one model until Ctrl-C");
    serve->add_option("MODEL", served, "One of: " + model_names())->required();
    serve->add_option("--root", into.root, "Serve the files of this directory, too")->type_name("DIR");
    serve->add_option("-p,--port", port, "Port at 127.0.0.1; 0 takes a free one")
        ->transform(apps::is_port())
        ->capture_default_str();
    auto* load = add_load(app, into.load);
    into.beside.add_to(app);
    app.require_subcommand(0, 1);
    if (const auto status = parser.parse(argc, argv)) return status;

    const int asked = (listed ? 1 : 0) + (explained ? 1 : 0) + (shown.empty() ? 0 : 1) + (serve->parsed() ? 1 : 0) +
                      (load->parsed() ? 1 : 0) + (run->parsed() ? 1 : 0) + (into.beside.asked() ? 1 : 0);
    std::string wrong;
    if (asked > 1)
        wrong = "these do not go together; say one of: run, serve, load, fetch, chat, --show, --list, --explain";
    else if (listed || explained)
        into.what = listed ? action::list : action::explain;
    else if (load->parsed())
        into.what = action::load;
    else if (into.beside.asked()) {
        into.what = action::program;
        wrong = into.beside.check();
    } else if (serve->parsed()) {
        into.what = action::serve;
        into.address.set_port(port);
        wrong = choose(served, models(), into.which);
    } else if (!shown.empty()) {
        into.what = action::show;
        wrong = choose(shown, models(), into.which);
        if (into.which == nullptr && choose(shown, program_forms(), into.which).empty()) wrong.clear();
    } else {
        wrong = unknown_names(into.compare);
    }
    return wrong.empty() ? std::nullopt : std::optional{parser.usage_error(wrong)};
}

}  // namespace comparison
