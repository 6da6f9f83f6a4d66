// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a comparison found. Made by the scenarios, read by the reports (text, JSON, HTML), which measure nothing.
namespace comparison {

using std::chrono::nanoseconds;

/// The shares of requests whose times are reported: 0.5 is the median.
inline constexpr std::array reported_shares{0.5, 0.9, 0.99, 0.999, 1.0};

/// Times from the request to the last byte of its answer; in open loop from when it was to be sent.
struct latencies {
    /// (share, time): so many of the requests took at most so long. From 0 to 1, both ends included, times never smaller than
    /// the one before; empty when nothing was answered.
    struct point {
        double share = 0;
        nanoseconds time{0};
    };
    std::vector<point> curve;
    /// 0 when nothing was answered.
    nanoseconds at(double share) const noexcept;
};

enum class error_kind : std::uint8_t {
    refused,       ///< no connection: nobody listens, or the queue is full
    reset,         ///< the connection ended in the middle, or before the answer
    timed_out,     ///< no answer while it was waited for
    wrong_status,  ///< an answer, but not 200
    wrong_bytes,   ///< an answer with another length, or another byte, than the page has
    no_http,       ///< what came is no answer at all
};
inline constexpr std::size_t error_kinds = 6;
/// "refused", "reset", "timed out", "wrong status", "wrong bytes", "no HTTP"
std::string_view name_of(error_kind kind) noexcept;

/// One run of one server.
struct measurement {
    double seconds = 0;          ///< of the time in which answers were counted
    std::uint64_t answered = 0;  ///< in that time: whole and right
    std::uint64_t answered_ever =
        0;  ///< with those before and after; what the processor's time and the switches belong to
    latencies times;
    std::array<std::uint64_t, error_kinds> errors{};
    unsigned connections = 0;  ///< that were asked for
    unsigned served = 0;       ///< of these: had at least one answer (a silent one: was accepted)

    // The server with all its children, from when it listened to its end.
    nanoseconds user{0};
    nanoseconds system{0};
    std::uint64_t switches_voluntary = 0;  ///< it had to wait
    std::uint64_t switches_forced = 0;     ///< it was made to wait
    std::uint64_t memory_bytes = 0;        ///< proportional set size with all connections open
    std::int64_t memory_grown_bytes = 0;   ///< by these connections
    unsigned processes = 1;                ///< with all connections open
    unsigned threads = 1;

    double per_second() const noexcept { return seconds > 0 ? static_cast<double>(answered) / seconds : 0; }
    nanoseconds cpu_per_request() const noexcept;  ///< 0 when nothing was answered
    double memory_per_connection() const noexcept;
    double switches_per_request() const noexcept;
    std::uint64_t all_errors() const noexcept;
};

/// Something that lasted, for the picture of who waited for whom.
struct interval {
    enum class kind : std::uint8_t { silent, waits, answered };
    std::string who;  ///< "the silent one", "the other one"
    kind what = kind::waits;
    nanoseconds from{0};  ///< since the scenario began
    nanoseconds to{0};
};

/// All runs of one server in one scenario at one level.
struct row {
    std::string server;  ///< a model's name, or "nginx", "gevent", "go"
    unsigned level = 0;  ///< connections
    std::vector<measurement> runs;
    std::optional<double> calls_per_request;      ///< system calls, counted in a run of its own
    std::optional<double> idle_connection_bytes;  ///< memory of one that was answered and says nothing more, likewise
    std::vector<interval> timeline;               ///< of the first run; scenario silent only
    std::string why_not;                          ///< not empty: it could not be run, and why
};

/// A value of several runs: the middle one, and how far apart they lie.
struct spread {
    double median = 0;
    double lowest = 0;
    double highest = 0;
    /// True: the ranges have something in common, so that nothing can be said about which is larger.
    bool overlaps(const spread& other) const noexcept { return lowest <= other.highest && other.lowest <= highest; }
};
/// Of what `value` gives for each run; zeros when there are none.
template <class Value>
spread spread_of(const row& one, Value value) {
    std::vector<double> all;
    for (const measurement& run : one.runs) all.push_back(static_cast<double>(std::invoke(value, run)));
    if (all.empty()) return {};
    std::ranges::sort(all);
    return {all[all.size() / 2], all.front(), all.back()};
}

struct scenario_results {
    std::string name;           ///< as on the command line: "silent", "keepalive", "slow", ...
    std::string title;          ///< "64 clients on one connection each, as fast as they are answered"
    std::string question;       ///< one sentence: what it asks
    bool is_open_loop = false;  ///< requests are sent at set times, whatever has been answered
    double rate = 0;            ///< requests a second that are sent; 0 in closed loop
    std::vector<row> rows;      ///< by level, then in the order of the servers
};

struct server_facts {
    std::string name;
    std::string summary;               ///< one line
    std::optional<std::size_t> lines;  ///< of code; absent for programs of others
    std::string version;               ///< of programs of others
    bool is_extra = false;
    bool is_peer = false;  ///< a program of others
};

/// Where and how it was measured: (what, how it is), for people and machines alike.
using surroundings = std::vector<std::pair<std::string, std::string>>;

struct results {
    std::string version;  ///< ringlet's
    std::string began;    ///< RFC 3339, UTC
    double took_seconds = 0;
    unsigned repetitions = 0;
    std::uint64_t seed = 0;
    surroundings where;
    std::vector<server_facts> servers;
    std::vector<scenario_results> scenarios;
    std::vector<std::string> findings;  ///< sentences for a beginner, the most important first
    std::vector<std::string> remarks;   ///< what limits what can be said: one processor, no io_uring, ...
};

}  // namespace comparison
