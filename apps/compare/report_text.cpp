// SPDX-License-Identifier: MIT
#include "compare/report_text.hpp"

#include "common/width.hpp"
#include "compare/show.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace comparison {
namespace {

std::string time_at(const row& one, double share) {
    const spread found = spread_of(one, [share](const measurement& run) { return static_cast<double>(run.times.at(share).count()) / 1e6; });
    return found.median > 0 ? show_time_ms(found.median) : "-";
}

double median_of(const row& one, std::invocable<const measurement&> auto value) { return spread_of(one, value).median; }

std::string rate(const row& one) {
    const spread found = spread_of(one, std::mem_fn(&measurement::per_second));
    return found.median > 0 ? show_rate(found.median) : "-";
}

// Half of the distance between the lowest and the highest run, as a share of the middle one.
std::string range(const row& one) {
    const spread found = spread_of(one, std::mem_fn(&measurement::per_second));
    return found.median > 0 ? fmt::format("±{:.0f}%", (found.highest - found.lowest) / 2 / found.median * 100) : "-";
}

std::string cpu(const row& one) {
    const double nanoseconds = median_of(one, [](const measurement& run) { return run.cpu_per_request().count(); });
    return nanoseconds > 0 ? show_time_ms(nanoseconds / 1e6) : "-";
}

std::string user_share(const row& one) {
    const double share = median_of(one, [](const measurement& run) {
        const double whole = static_cast<double>((run.user + run.system).count());
        return whole > 0 ? static_cast<double>(run.user.count()) / whole : 0;
    });
    return fmt::format("{:.0f}%", share * 100);
}

std::string switches(const row& one) {
    const double found = median_of(one, std::mem_fn(&measurement::switches_per_request));
    return median_of(one, std::mem_fn(&measurement::answered_ever)) > 0 ? show_count(found) : "-";
}

std::string calls(const row& one) { return one.calls_per_request ? show_count(*one.calls_per_request) : "-"; }

std::string memory(const row& one) { return show_bytes(median_of(one, std::mem_fn(&measurement::memory_bytes))); }

std::string idle_memory(const row& one) { return one.idle_connection_bytes ? show_bytes(*one.idle_connection_bytes) : "-"; }

std::string processes(const row& one) {
    return fmt::format("{:.0f}/{:.0f}", median_of(one, std::mem_fn(&measurement::processes)), median_of(one, std::mem_fn(&measurement::threads)));
}

std::string problems(const row& one) {
    if (one.runs.empty()) return one.why_not;
    std::string all;
    const auto add = [&](std::string_view text) { fmt::format_to(std::back_inserter(all), "{}{}", all.empty() ? "" : ", ", text); };
    const measurement& worst = *std::ranges::max_element(one.runs, {}, &measurement::all_errors);
    if (const auto& least = *std::ranges::min_element(one.runs, {}, &measurement::served); least.served < least.connections)
        add(fmt::format("{} of {} clients served", show_count(least.served), show_count(least.connections)));
    for (std::size_t kind = 0; kind < error_kinds; ++kind)
        if (worst.errors[kind] > 0) add(fmt::format("{} {}", show_count(static_cast<double>(worst.errors[kind])), name_of(static_cast<error_kind>(kind))));
    return all;
}

constexpr int always = 9;

struct column {
    std::string_view heading;
    int matters;  // those with the lowest number go first when there is no room
    std::function<std::string(const row&)> show;
    bool is_text = false;  // else a number, which needs a run
};

std::vector<column> columns_of(const results& all, const scenario_results& in) {
    const auto lines = [&all](const row& one) {
        const auto found = std::ranges::find(all.servers, one.server, &server_facts::name);
        return found != all.servers.end() && found->lines ? std::to_string(*found->lines) : "-";
    };
    std::vector<column> made{{"", always, [](const row& one) { return one.server; }, true}, {"lines", 8, lines}};
    const auto add = [&](std::string_view heading, int matters, std::function<std::string(const row&)> show) {
        made.push_back({heading, matters, std::move(show)});
    };
    const auto add_time = [&](std::string_view heading, int matters, double share) {
        add(heading, matters, [share](const row& one) { return time_at(one, share); });
    };
    if (in.name == "silent") {
        add_time("waited", always, 1);
    } else {
        add("requests/s", always, rate);
        add("range", 6, range);
        add_time("p50", always, 0.5);
        add_time("p90", 2, 0.9);
        add_time("p99", always, 0.99);
        add_time("p99.9", 3, 0.999);
        add_time("longest", 4, 1);
        add("CPU/req", always, cpu);
        add("user", 1, user_share);
        add("switches/req", 5, switches);
        if (std::ranges::any_of(in.rows, [](const row& one) { return one.calls_per_request.has_value(); }))
            add("calls/req", 6, calls);
        add("memory", 4, memory);
        if (std::ranges::any_of(in.rows, [](const row& one) { return one.idle_connection_bytes.has_value(); }))
            add("per idle", 7, idle_memory);
        add("proc/thr", 5, processes);
    }
    made.push_back({"", always, problems, true});
    return made;
}

class table {
public:
    table(const results& all, const scenario_results& in, unsigned level) {
        for (const row& each : in.rows)
            if (each.level == level) rows_.push_back(&each);
        for (const column& each : columns_of(all, in)) add(each);
    }

    std::string text(std::size_t width) {
        while (needed() > width && drop_one()) {}
        std::string all;
        for (std::size_t line = 0; line <= rows_.size(); ++line) {
            std::string made;
            for (const cells& each : columns_) {
                const std::string& cell = each.texts[line];
                const std::string gap(each.cells - apps::cells_of(cell), ' ');
                if (!made.empty()) made += "  ";
                made += each.is_left ? cell + gap : gap + cell;
            }
            made.erase(made.find_last_not_of(' ') + 1);
            all += "  " + made + "\n";
        }
        return all;
    }

private:
    struct cells {
        std::vector<std::string> texts;  // the heading first
        std::size_t cells = 0;
        int matters = 0;
        bool is_left = false;
    };

    void add(const column& wanted) {
        cells made{.texts = {std::string{wanted.heading}},
                   .cells = wanted.heading.size(),
                   .matters = wanted.matters,
                   .is_left = wanted.is_text};
        for (const row* each : rows_) {
            made.texts.push_back(wanted.is_text || !each->runs.empty() ? wanted.show(*each) : "-");
            made.cells = std::max(made.cells, apps::cells_of(made.texts.back()));
        }
        columns_.push_back(std::move(made));
    }
    std::size_t needed() const {
        std::size_t all = 0;
        for (const cells& each : columns_) all += each.cells + 2;
        return all;
    }
    bool drop_one() {
        const auto least = std::ranges::min_element(columns_, {}, &cells::matters);
        if (least->matters == always) return false;
        columns_.erase(least);
        return true;
    }

    std::vector<const row*> rows_;
    std::vector<cells> columns_;
};

std::vector<unsigned> levels_of(const scenario_results& in) {
    std::vector<unsigned> all;
    for (const row& each : in.rows)
        if (all.empty() || all.back() != each.level) all.push_back(each.level);
    return all;
}

}  // namespace

std::string to_text(const results& all, std::size_t width) {
    std::string text;
    for (const scenario_results& each : all.scenarios) {
        text += fmt::format("{}\n{}\n", each.title, each.question);
        const auto levels = levels_of(each);
        for (const unsigned level : levels) {
            if (levels.size() > 1) text += fmt::format("\n  {} connections\n", show_count(level));
            text += table{all, each, level}.text(width);
        }
        text += "\n";
    }
    for (const std::string& each : all.findings) text += "- " + each + "\n";
    for (const std::string& each : all.remarks) text += "! " + each + "\n";
    return text;
}

}  // namespace comparison
