// SPDX-License-Identifier: MIT
#include "compare/report/findings.hpp"

#include "compare/report/quantity.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace comparison {
namespace {

const scenario_results* find(const results& all, std::string_view name) {
    const auto found = std::ranges::find(all.scenarios, name, &scenario_results::name);
    return found == all.scenarios.end() ? nullptr : &*found;
}

using ranked = std::vector<std::pair<spread, std::string_view>>;

// Those for whom `value` says something, the largest median first.
template <class Value>
ranked rank(const scenario_results& in, unsigned level, Value value) {
    ranked all;
    for (const row& each : in.rows)
        if (each.level == level && !each.runs.empty()) all.emplace_back(spread_of(each, value), each.server);
    std::ranges::sort(all, std::greater{}, [](const auto& each) { return each.first.median; });
    return all;
}

// "a", "a and b", "a, b and c"
std::string listed(const std::vector<std::string_view>& names) {
    if (names.size() < 2) return names.empty() ? std::string{"nobody"} : std::string{names.front()};
    return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

// Who was not answered at all was waited for so long.
constexpr double patience = 5e9;

double waited(const measurement& run) {
    return run.answered == 0 ? patience : static_cast<double>(run.times.at(1).count());
}

std::string who_makes_others_wait(const scenario_results& in) {
    const ranked all = rank(in, in.rows.front().level, waited);
    std::vector<std::string_view> held;
    double others = 0;
    for (const auto& [time, name] : all)
        if (time.median > 100e6)
            held.push_back(name);
        else
            others = std::max(others, time.median);
    if (all.empty()) return {};
    if (held.empty())
        return fmt::format("A client that says nothing holds up nobody: the next one had its page within {}.",
                           show(quantity::time, others));
    return fmt::format(
        "A client that says nothing holds up all who come after it in {} ({}); in the others the next one had its page "
        "within {}.",
        listed(held), show(quantity::time, all.front().first.median), show(quantity::time, others));
}

unsigned busiest_level(const scenario_results& in) {
    unsigned best = in.rows.front().level;
    for (const row& each : in.rows)
        if (each.level <= 64) best = std::max(best, each.level);
    return best;
}

std::string who_does_most(const scenario_results& in) {
    const unsigned level = busiest_level(in);
    const ranked all = rank(in, level, std::mem_fn(&measurement::per_second));
    if (all.size() < 2 || all.front().first.median <= 0) return {};
    std::vector<std::string_view> first;
    for (const auto& [rate, name] : all)
        if (rate.overlaps(all.front().first)) first.push_back(name);
    const auto cost = [&](std::string_view name) {
        const auto found =
            std::ranges::find_if(in.rows, [&](const row& each) { return each.server == name && each.level == level; });
        return found == in.rows.end() ? 0.0 : spread_of(*found, [](const measurement& run) {
                                                  return static_cast<double>(run.cpu_per_request().count());
                                              }).median;
    };
    std::string said =
        fmt::format("With {} busy clients {} answer{} most ({} requests a second{})", level, listed(first),
                    first.size() == 1 ? "s" : "", show(quantity::rate, all.front().first.median),
                    first.size() == 1 ? "" : ", no difference between them");
    const double thread = cost("thread");
    const double coroutine = cost("coroutine");
    if (thread > 0 && coroutine > 0)
        said += fmt::format(
            "; a request costs {} of the processor's time with a thread for each connection, {} with a coroutine "
            "({:.1f} times)",
            show(quantity::time, thread), show(quantity::time, coroutine), thread / coroutine);
    return said + ".";
}

std::string who_works_while_somebody_waits(const scenario_results& in) {
    const unsigned level = in.rows.front().level;
    const ranked all = rank(in, level, std::mem_fn(&measurement::per_second));
    if (all.empty() || all.front().first.median <= 0) return {};
    std::vector<std::string_view> behind;
    double behind_rate = 0;
    for (const auto& [rate, name] : all)
        if (rate.median < all.front().first.median / 2) {
            behind.push_back(name);
            behind_rate = std::max(behind_rate, rate.median);
        }
    if (behind.empty())
        return fmt::format(
            "A handler that waits for 50 ms holds up nobody: all answer {} clients about {} times a second.", level,
            show(quantity::rate, all.front().first.median));
    return fmt::format(
        "While a handler waits for 50 ms, {} stand{} still ({} requests a second); the others serve all {} clients "
        "meanwhile ({}).",
        listed(behind), behind.size() == 1 ? "s" : "", show(quantity::rate, behind_rate), level,
        show(quantity::rate, all.front().first.median));
}

}  // namespace

std::vector<std::string> findings_in(const results& all) {
    std::vector<std::string> said;
    const auto add = [&](std::string_view name, std::string (*find_out)(const scenario_results&)) {
        const scenario_results* const in = find(all, name);
        if (in == nullptr || in->rows.empty()) return;
        if (std::string sentence = find_out(*in); !sentence.empty()) said.push_back(std::move(sentence));
    };
    add("silent", who_makes_others_wait);
    add("keepalive", who_does_most);
    add("slow", who_works_while_somebody_waits);
    return said;
}

}  // namespace comparison
