// SPDX-License-Identifier: MIT
#include "compare/report/columns.hpp"

#include <array>
#include <cstdint>

namespace comparison {
namespace {

// Below these the figures are chance.
constexpr std::uint64_t requests_for_costs = 10;
// Memory that is made once, such as buffers that all connections share, would count for each of a few.
constexpr unsigned connections_for_memory = 500;

template <class Value>
std::optional<spread> over(const row& one, Value value) {
    if (one.runs.empty()) return std::nullopt;
    return spread_of(one, value);
}

// The share of requests that `Thousandths` names, where there are enough of them to have such a share.
template <unsigned Thousandths, std::uint64_t Least>
std::optional<spread> time_within(const row& one) {
    row answered;
    for (const measurement& run : one.runs) {
        if (run.answered < Least || run.times.curve.empty()) continue;
        measurement& kept = answered.runs.emplace_back();
        kept.times.curve.push_back({1, run.times.at(Thousandths / 1000.0)});
    }
    return over(answered, [](const measurement& run) { return run.times.curve.back().time.count(); });
}

template <class Value>
std::optional<spread> per_request(const row& one, Value value) {
    for (const measurement& run : one.runs)
        if (run.answered_ever < requests_for_costs) return std::nullopt;
    return over(one, value);
}

std::optional<spread> requests_per_second(const row& one) {
    if (std::ranges::all_of(one.runs, [](const measurement& run) { return run.answered < 2; })) return std::nullopt;
    return over(one, &measurement::per_second);
}

std::optional<spread> served(const row& one) { return over(one, &measurement::served); }
std::optional<spread> errors(const row& one) { return over(one, &measurement::all_errors); }

std::optional<spread> cpu(const row& one) {
    return per_request(one, [](const measurement& run) { return run.cpu_per_request().count(); });
}

std::optional<spread> system(const row& one) {
    return per_request(one, [](const measurement& run) {
        return static_cast<double>(run.system.count()) / static_cast<double>(run.answered_ever);
    });
}

std::optional<spread> switches(const row& one) { return per_request(one, &measurement::switches_per_request); }

std::optional<spread> forced(const row& one) {
    return per_request(one, [](const measurement& run) {
        return static_cast<double>(run.switches_forced) / static_cast<double>(run.answered_ever);
    });
}

std::optional<spread> calls(const row& one) {
    if (!one.calls_per_request) return std::nullopt;
    return spread{*one.calls_per_request, *one.calls_per_request, *one.calls_per_request};
}

// Where nobody looked, there is nothing to say.
template <class Value>
std::optional<spread> looked_at(const row& one, Value value) {
    if (std::ranges::any_of(one.runs, [](const measurement& run) { return run.memory_bytes == 0; }))
        return std::nullopt;
    return over(one, value);
}

std::optional<spread> memory(const row& one) { return looked_at(one, &measurement::memory_bytes); }

std::optional<spread> memory_per_connection(const row& one) {
    if (one.idle_connection_bytes) {
        const double bytes = *one.idle_connection_bytes;
        return spread{bytes, bytes, bytes};
    }
    if (std::ranges::any_of(one.runs, [](const measurement& run) {
            return run.connections < connections_for_memory || run.served < run.connections;
        }))
        return std::nullopt;
    return over(one, &measurement::memory_per_connection);
}

std::optional<spread> processes(const row& one) { return looked_at(one, &measurement::processes); }
std::optional<spread> threads(const row& one) { return looked_at(one, &measurement::threads); }

constexpr std::array all{
    column{"requests_per_second", "answers", "requests/s", "a second",
           "Whole and right answers in a second. More is better, as long as nobody waits too long.", "Answers a second",
           quantity::rate, requests_per_second, true},
    column{"served", "answers", "served", "connections",
           "How many of the connections had an answer at all. Fewer than asked for: somebody waited in vain.",
           "Connections that were served", quantity::whole, served, true},
    column{"errors", "answers", "errors", "requests",
           "Requests that ended otherwise than with the right answer; the kinds are named with them.",
           "Requests without the right answer", quantity::whole, errors},
    column{"p50_ns", "times", "50 % within", "time",
           "Half of the requests had their whole answer within this time: the usual wait.",
           "Time within which half had their answer", quantity::time, time_within<500, 1>},
    column{"p90_ns", "times", "90 % within", "time", "Nine of ten requests were answered within this time.",
           "Time within which 90 % had their answer", quantity::time, time_within<900, 10>},
    column{"p99_ns", "times", "99 % within", "time",
           "One request in a hundred took longer. A page of seventy parts meets it on every other visit.",
           "Time within which 99 % had their answer", quantity::time, time_within<990, 100>},
    column{"p999_ns", "times", "99.9 % within", "time", "One request in a thousand took longer.",
           "Time within which 99.9 % had their answer", quantity::time, time_within<999, 1000>},
    column{"max_ns", "times", "longest", "time", "The longest wait of all; one piece of bad luck decides it.",
           "The longest wait", quantity::time, time_within<1000, 2>},
    column{"cpu_per_request_ns", "processor", "CPU/request", "time",
           "Processor time that the server used for a request, its children included. Less leaves room for more.",
           "Processor time for a request", quantity::time, cpu},
    column{"system_per_request_ns", "processor", "of it kernel", "time",
           "The part of that time which the kernel used on the server's behalf: sending, receiving, switching.",
           "The kernel's time for a request", quantity::time, system},
    column{"switches_per_request", "processor", "switches/request", "switches",
           "How often, for a request, the processor was given to another thread or process.",
           "Context switches for a request", quantity::count, switches},
    column{"forced_per_request", "processor", "of them forced", "switches",
           "Those switches which the kernel forced because the time slice was over; the rest had to wait anyway.",
           "Forced switches for a request", quantity::count, forced},
    column{"calls_per_request", "processor", "calls/request", "system calls",
           "How often, for a request, the server called the kernel; counted in a run of its own.",
           "System calls for a request", quantity::count, calls},
    column{"memory_bytes", "memory", "memory", "bytes",
           "Memory of the server and its children with all connections open; what they share is counted once (PSS).",
           "Memory with all connections open", quantity::bytes, memory},
    column{"memory_per_connection_bytes", "memory", "per idle one", "bytes",
           "What a connection that was answered and says nothing more adds: the server's own memory, not the kernel's.",
           "Memory for each idle connection", quantity::bytes, memory_per_connection},
    column{"processes", "memory", "processes", "processes", "Processes with all connections open.",
           "Processes with all connections open", quantity::whole, processes},
    column{"threads", "memory", "threads", "threads", "Threads with all connections open, in all processes.",
           "Threads with all connections open", quantity::whole, threads},
    column{"lines", "program", "lines", "lines of code",
           "Lines of code of what differs between the servers, empty lines and comments left out.", "Lines of code",
           quantity::whole, nullptr},
};

}  // namespace

std::span<const column> columns() noexcept { return all; }

const column& column_of(std::string_view key) noexcept { return *std::ranges::find(all, key, &column::key); }

std::optional<spread> value_of(const column& what, const row& one, const results& of) {
    if (what.of != nullptr) return what.of(one);
    const auto found = std::ranges::find(of.servers, one.server, &server_facts::name);
    if (found == of.servers.end() || !found->lines) return std::nullopt;
    const auto count = static_cast<double>(*found->lines);
    return spread{count, count, count};
}

}  // namespace comparison
