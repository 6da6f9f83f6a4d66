// SPDX-License-Identifier: MIT
#include "compare/options.hpp"

#include "common/options.hpp"

#include <fmt/format.h>

namespace comparison {
namespace {

std::string names() {
    std::string all;
    for (const model& each : models()) all += (all.empty() ? "" : ", ") + std::string{each.name};
    return all;
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, options& into) {
    std::string served;
    std::string shown;
    std::uint16_t port = into.address.port();
    bool listed = false;
    apps::option_parser parser{
        "ringlet-compare",
        "One HTTP server in eight forms: threads, processes, polling, epoll, coroutines. They share everything but "
        "the\n"
        "way they wait.",
        {"ringlet-compare --list                      the forms, and how many lines each has",
         "ringlet-compare serve coroutine             one of them at 127.0.0.1:8000; try  curl "
         "http://127.0.0.1:8000/1k",
         "ringlet-compare serve thread --root site    with the files of a directory, for a browser",
         "ringlet-compare fetch thread -j 64 URL...   the downloader of the course, in three forms",
         "ringlet-compare chat thread HOST PORT       its chat, in two",
         "ringlet-compare --show epoll                its source"},
        "Files are read once, when the server starts. /slow is a page that takes 50 ms. These servers are for "
        "loopback\n"
        "and for comparing; ringlet-serve is the one to serve files with.\n\n"
        "Exit status: 0 after Ctrl-C or SIGTERM, 1 when it could not run, 2 for a wrong command line."};
    auto& app = parser.app();
    app.add_flag("--list", listed, "The models, one a line");
    app.add_option("--show", shown, "The source of a model")->type_name("MODEL");
    auto* serve = app.add_subcommand("serve", "Run one model until Ctrl-C");
    serve->add_option("MODEL", served, "One of: " + names())->required();
    serve->add_option("--root", into.root, "Serve the files of this directory, too")->type_name("DIR");
    serve->add_option("-p,--port", port, "Port at 127.0.0.1; 0 takes a free one")
        ->transform(apps::is_port())
        ->capture_default_str();
    into.beside.add_to(app);
    if (const auto status = parser.parse(argc, argv)) return status;

    const int asked =
        (listed ? 1 : 0) + (shown.empty() ? 0 : 1) + (serve->parsed() ? 1 : 0) + (into.beside.asked() ? 1 : 0);
    if (asked != 1)
        return parser.usage_error(
            "say one of: serve MODEL, fetch MODEL URL, chat MODEL HOST PORT, --show MODEL, --list");
    if (listed) return std::nullopt;
    if (into.beside.asked()) {
        into.what = action::program;
        const std::string wrong = into.beside.check();
        return wrong.empty() ? std::nullopt : std::optional{parser.usage_error(wrong)};
    }
    const std::string& name = serve->parsed() ? served : shown;
    into.which = find_model(name);
    for (const model& each : program_forms())
        if (!serve->parsed() && each.name == name) into.which = &each;
    if (into.which == nullptr)
        return parser.usage_error(fmt::format("no model is called {}; there are {}", name, names()));
    into.what = serve->parsed() ? action::serve : action::show;
    into.address.set_port(port);
    return std::nullopt;
}

}  // namespace comparison
