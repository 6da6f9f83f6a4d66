// SPDX-License-Identifier: MIT
// One server, eight ways to wait: runs one of them, or shows its source.
// Try:  ringlet-compare serve thread      and in another terminal  curl http://127.0.0.1:8000/1k
#include "common/file_limit.hpp"
#include "common/port_in_use.hpp"
#include "compare/catalogue.hpp"
#include "compare/options.hpp"
#include <ringlet/net/tcp_listener.hpp>

#include <fmt/format.h>

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

}  // namespace

int main(int argc, char** argv) {
    comparison::options how;
    if (const auto status = comparison::parse_options(argc, argv, how)) return *status;
    try {
        switch (how.what) {
            case comparison::action::list:
                return list();
            case comparison::action::show:
                return show(*how.which);
            case comparison::action::serve:
                apps::raise_file_limit();
                return serve(how);
            case comparison::action::program:
                return how.beside.run(argc, argv);
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "ringlet-compare: {}\n", error.what());
    }
    return 1;
}
