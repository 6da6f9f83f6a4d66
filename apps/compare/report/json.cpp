// SPDX-License-Identifier: MIT
#include "compare/report/json.hpp"

#include "common/json.hpp"
#include "compare/report/columns.hpp"
#include "compare/report/curve.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <concepts>
#include <ranges>

namespace comparison {
namespace {

std::string json(std::string_view text) { return apps::json_string(text); }
std::string json(bool holds) { return holds ? "true" : "false"; }
std::string json(std::integral auto value) { return fmt::format("{}", value); }
std::string json(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }
std::string json(nanoseconds time) { return json(time.count()); }
std::string json(const spread& values);
template <class T>
std::string json(const std::optional<T>& value) {
    return value ? json(*value) : "null";
}
// What is empty says nothing.
std::string text_or_null(std::string_view text) { return text.empty() ? "null" : json(text); }

class object {
public:
    /// `value` is JSON already.
    object& raw(std::string_view key, std::string_view value) {
        fmt::format_to(std::back_inserter(text_), "{}\"{}\":{}", text_.size() > 1 ? "," : "", key, value);
        return *this;
    }
    object& with(std::string_view key, const auto& value) { return raw(key, json(value)); }
    [[nodiscard]] std::string close() const { return text_ + '}'; }

private:
    std::string text_ = "{";
};

template <std::ranges::input_range Range, class Form>
std::string array(const Range& values, Form form) {
    std::string out = "[";
    for (const auto& each : values) {
        if (out.size() > 1) out += ',';
        out += form(each);
    }
    return out + ']';
}

std::string texts(const std::vector<std::string>& all) {
    return array(all, [](const std::string& text) { return json(text); });
}

std::string json(const spread& values) {
    return object{}.with("median", values.median).with("lowest", values.lowest).with("highest", values.highest).close();
}

// "timed out" -> "timed_out", "no HTTP" -> "no_http"
std::string key_of(error_kind kind) {
    std::string key{name_of(kind)};
    for (char& c : key) c = c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return key;
}

std::string errors_of(const measurement& run) {
    object out;
    for (std::size_t kind = 0; kind < error_kinds; ++kind)
        out.with(key_of(static_cast<error_kind>(kind)), run.errors[kind]);
    return out.close();
}

std::string form_run(const measurement& run) {
    const auto form_point = [](const latencies::point& each) {
        return fmt::format("[{},{}]", json(each.share), json(each.time));
    };
    return object{}
        .with("seconds", run.seconds)
        .with("answered", run.answered)
        .with("answered_ever", run.answered_ever)
        .with("connections", run.connections)
        .with("served", run.served)
        .raw("errors", errors_of(run))
        .with("user_ns", run.user)
        .with("system_ns", run.system)
        .with("switches_voluntary", run.switches_voluntary)
        .with("switches_forced", run.switches_forced)
        .with("memory_bytes", run.memory_bytes)
        .with("memory_grown_bytes", run.memory_grown_bytes)
        .with("processes", run.processes)
        .with("threads", run.threads)
        .raw("curve_share_and_ns", array(thinned(run.times), form_point))
        .close();
}

std::string_view word_for(interval::kind what) {
    switch (what) {
        case interval::kind::silent:
            return "silent";
        case interval::kind::waits:
            return "waits";
        case interval::kind::answered:
            return "answered";
    }
    return "";
}

std::string form_interval(const interval& one) {
    return object{}
        .with("who", one.who)
        .with("what", word_for(one.what))
        .with("from_ns", one.from)
        .with("to_ns", one.to)
        .close();
}

std::string form_row(const row& one) {
    object summary;
    for (const column& each : columns())
        if (each.of != nullptr) summary.with(each.key, each.of(one));
    return object{}
        .with("server", one.server)
        .with("connections", one.level)
        .raw("why_not", text_or_null(one.why_not))
        .raw("summary", summary.close())
        .raw("runs", array(one.runs, form_run))
        .raw("timeline", array(one.timeline, form_interval))
        .close();
}

std::string form_scenario(const scenario_results& one) {
    return object{}
        .with("name", one.name)
        .with("title", one.title)
        .with("question", one.question)
        .with("loop", std::string_view{one.is_open_loop ? "open" : "closed"})
        .raw("sent_per_second", one.is_open_loop ? json(one.rate) : "null")
        .raw("rows", array(one.rows, form_row))
        .close();
}

std::string form_server(const server_facts& one) {
    return object{}
        .with("name", one.name)
        .with("summary", one.summary)
        .with("lines", one.lines)
        .raw("version", text_or_null(one.version))
        .with("extra", one.is_extra)
        .with("peer", one.is_peer)
        .close();
}

std::string form_column(const column& one) {
    return object{}
        .with("key", one.key)
        .with("name", one.name)
        .with("unit", one.unit)
        .with("explanation", one.explanation)
        .close();
}

std::string form_surrounding(const surroundings::value_type& one) {
    return object{}.with("what", one.first).with("value", one.second).close();
}

}  // namespace

std::string to_json(const results& all) {
    return object{}
        .with("version", all.version)
        .with("began", all.began)
        .with("took_seconds", all.took_seconds)
        .with("repetitions", all.repetitions)
        .with("seed", all.seed)
        .raw("findings", texts(all.findings))
        .raw("remarks", texts(all.remarks))
        .raw("surroundings", array(all.where, form_surrounding))
        .raw("servers", array(all.servers, form_server))
        .raw("columns", array(columns(), form_column))
        .raw("scenarios", array(all.scenarios, form_scenario))
        .close();
}

}  // namespace comparison
