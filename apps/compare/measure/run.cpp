// SPDX-License-Identifier: MIT
#include "compare/measure/run.hpp"

#include "compare/load/load.hpp"
#include "compare/measure/bystanders.hpp"
#include "compare/measure/call_counter.hpp"
#include "compare/measure/silent.hpp"
#include <ringlet/core/task_group.hpp>
#include <ringlet/time/clock.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace comparison {
namespace {

using namespace std::chrono_literals;

// All who are at a server in one run.
struct crowd {
    crowd(const scenario& what, unsigned level, const ringlet::net::endpoint& at, const site& pages)
        : page{.body = pages.find(what.path.substr(1))->body, .known = {}},
          others{what.others, what.others == presence::none ? 0 : level, at},
          askers{{.server = at,
                  .path = std::string{what.path},
                  .connections = what.askers > 0 ? what.askers : level,
                  .keeps_connections = what.keeps_connections,
                  .rate = what.rate},
                 page} {}

    wanted_page page;
    bystanders others;
    load askers;
};

// The first requests find cold caches, and threads and processes that are to be made: until each client has had an answer,
// or it has been waited for long enough.
ringlet::task<> warm_up(const load& askers, unsigned level) {
    const auto patience_ends = ringlet::clock::now() + std::min<nanoseconds>(level * 3ms, 5s);
    co_await ringlet::sleep(200ms);
    while (askers.served() < level && ringlet::clock::now() < patience_ends) co_await ringlet::sleep(5ms);
}

ringlet::task<measurement> busy(ringlet::task_group& group, const scenario& what, unsigned level, crowd& all,
                                const server& at) {
    const std::uint64_t memory_before = at.tree().memory_bytes;
    co_await all.others.arrive(group);
    group.spawn(&load::run, std::ref(all.askers));
    co_await warm_up(all.askers, what.askers > 0 ? what.askers : level);
    all.askers.begin_counting();
    co_await ringlet::sleep(what.counted);
    measurement found = co_await all.askers.end_counting();
    const process_tree tree = at.tree();
    found.connections += all.others.wanted();
    found.served += all.others.served();
    found.answered_ever += all.others.served();
    found.memory_bytes = tree.memory_bytes;
    found.memory_grown_bytes = static_cast<std::int64_t>(tree.memory_bytes - memory_before);
    found.processes = tree.processes;
    found.threads = tree.threads;
    group.cancel();
    co_return found;
}

ringlet::task<> warm_up_with(ringlet::task_group& group, crowd& all) {
    group.spawn(&load::run, std::ref(all.askers));
    co_await ringlet::sleep(150ms);
    group.cancel();
}

ringlet::task<std::optional<double>> grown_by(ringlet::task_group& group, bystanders& others, const server& at) {
    const std::uint64_t memory_before = at.tree().memory_bytes;
    co_await others.arrive(group);
    const auto grown = static_cast<double>(static_cast<std::int64_t>(at.tree().memory_bytes - memory_before));
    group.cancel();
    if (others.served() < others.wanted()) co_return std::nullopt;
    co_return grown / others.wanted();
}

ringlet::task<double> counted(ringlet::task_group& group, unsigned level, crowd& all, pid_t of) {
    call_counter counter{of};
    while (!counter.is_ready()) co_await ringlet::sleep(1ms);
    group.spawn(&load::run, std::ref(all.askers));
    co_await warm_up(all.askers, level);
    if (counter.failure() != 0) throw std::system_error{counter.failure(), std::generic_category(), "ptrace"};
    const std::uint64_t calls_before = counter.calls();
    all.askers.begin_counting();
    co_await ringlet::sleep(300ms);
    const measurement found = co_await all.askers.end_counting();
    const std::uint64_t calls = counter.calls() - calls_before;
    group.cancel();
    co_return found.answered == 0 ? 0 : static_cast<double>(calls) / static_cast<double>(found.answered);
}

}  // namespace

ringlet::task<outcome> run_once(const scenario& what, unsigned level, const server_command& who, const site& pages) {
    server at = co_await server::start(who);
    outcome found;
    if (what.is_silent) {
        found = co_await one_is_silent(at, pages);
    } else {
        crowd all{what, level, at.address(), pages};
        found.all = co_await ringlet::with_task_group(busy, std::cref(what), level, std::ref(all), std::cref(at));
    }
    const usage used = co_await at.stop();
    found.all.user = used.user;
    found.all.system = used.system;
    found.all.switches_voluntary = used.switches_voluntary;
    found.all.switches_forced = used.switches_forced;
    co_return found;
}

ringlet::task<double> count_calls(const scenario& what, unsigned level, const server_command& who, const site& pages) {
    server at = co_await server::start(who);
    double calls = 0;
    {
        crowd all{what, level, at.address(), pages};
        calls = co_await ringlet::with_task_group(counted, level, std::ref(all), at.pid());
    }
    (void)co_await at.stop();
    co_return calls;
}

ringlet::task<std::optional<double>> measure_idle_connection(const server_command& who, const site& pages) {
    server at = co_await server::start(who);
    {
        crowd all{*find_scenario("keepalive"), 16, at.address(), pages};
        co_await ringlet::with_task_group(warm_up_with, std::ref(all));
    }
    bystanders others{presence::idle, 250, at.address()};
    const auto grown = co_await ringlet::with_task_group(grown_by, std::ref(others), std::cref(at));
    (void)co_await at.stop();
    co_return grown;
}

}  // namespace comparison
