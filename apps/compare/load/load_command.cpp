// SPDX-License-Identifier: MIT
#include "compare/load/load_command.hpp"

#include "common/json.hpp"
#include "common/numbers.hpp"
#include "compare/load/load.hpp"
#include "compare/report/quantity.hpp"
#include <ringlet/core/task_group.hpp>
#include <ringlet/http/url.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

namespace comparison {
namespace {

using namespace std::chrono_literals;

constexpr nanoseconds warm_up = 200ms;

load_plan plan_of(const load_options& how) {
    const auto where = ringlet::http::url::parse(how.url);
    if (!where) throw std::invalid_argument{fmt::format("{}: {}", how.url, where.reason())};
    const std::string host = where->host() == "localhost" ? "127.0.0.1" : where->host();
    const auto at = ringlet::net::endpoint::try_parse_address(host, where->port());
    if (!at || !at->is_loopback() || where->is_https())
        throw std::invalid_argument{"the load is for servers at loopback, by http: http://127.0.0.1:8000/1k"};
    return {.server = *at,
            .path = where->target(),
            .connections = how.connections,
            .keeps_connections = !how.closes,
            .rate = how.rate};
}

ringlet::task<measurement> measure(ringlet::task_group& group, load& clients, nanoseconds counted) {
    group.spawn(&load::run, std::ref(clients));
    co_await ringlet::sleep(warm_up);
    clients.begin_counting();
    co_await ringlet::sleep(counted);
    measurement found = co_await clients.end_counting();
    group.cancel();
    co_return found;
}

void print_text(const load_options& how, const measurement& found) {
    fmt::print(
        "{} connections, {}, {}: times from {}\n", how.connections, how.closes ? "one for each request" : "kept",
        how.rate > 0 ? fmt::format("open loop, {} requests a second", show(quantity::rate, how.rate)) : "closed loop",
        how.rate > 0 ? "when a request was to be sent" : "when a request was sent");
    fmt::print("{} answers in {:.2f} s, every byte as in the first: {} requests/s\n", found.answered, found.seconds,
               show(quantity::rate, found.per_second()));
    for (const double share : reported_shares)
        fmt::print("  {:>7}  {}\n", share < 1 ? fmt::format("{:g}%", share * 100) : "longest",
                   show(quantity::time, static_cast<double>(found.times.at(share).count())));
    if (found.served < found.connections)
        fmt::print("{} of {} connections were answered\n", found.served, found.connections);
    for (std::size_t kind = 0; kind < error_kinds; ++kind)
        if (found.errors[kind] > 0) fmt::print("{}: {}\n", name_of(static_cast<error_kind>(kind)), found.errors[kind]);
}

void print_json(const load_options& how, const measurement& found) {
    std::string text = fmt::format(
        "{{\"url\":{},\"connections\":{},\"served\":{},\"loop\":\"{}\",\"rate\":{},\"seconds\":{},\"answered\":{},"
        "\"per_second\":{}",
        apps::json_string(how.url), found.connections, found.served, how.rate > 0 ? "open" : "closed", how.rate,
        found.seconds, found.answered, found.per_second());
    for (const double share : reported_shares)
        text += fmt::format(",\"{}_ns\":{}", share < 1 ? fmt::format("p{:g}", share * 100) : "longest",
                            found.times.at(share).count());
    text += ",\"errors\":{";
    for (std::size_t kind = 0; kind < error_kinds; ++kind)
        text += fmt::format("{}{}:{}", kind == 0 ? "" : ",", apps::json_string(name_of(static_cast<error_kind>(kind))),
                            found.errors[kind]);
    fmt::print("{}}}}}\n", text);
}

}  // namespace

ringlet::task<int> run_load(const load_options& how) {
    load_plan plan = plan_of(how);
    wanted_page page;
    page.body = co_await fetch_page(plan.server, plan.path);
    load clients{std::move(plan), page};
    const nanoseconds counted = apps::parse_duration(how.seconds).value();
    const measurement found = co_await ringlet::with_task_group(measure, std::ref(clients), counted);
    how.json ? print_json(how, found) : print_text(how, found);
    co_return found.all_errors() == 0 && found.answered > 0 ? 0 : 1;
}

}  // namespace comparison
