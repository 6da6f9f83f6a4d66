// SPDX-License-Identifier: MIT
#include "compare/report/plots.hpp"

#include "common/sanitize.hpp"
#include "compare/report/troubles.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace comparison {

looks::looks(const results& all) {
    const auto add = [this](const std::string& name) {
        if (std::ranges::find(servers_, name) == servers_.end()) servers_.push_back(name);
    };
    for (const server_facts& each : all.servers) add(each.name);
    for (const scenario_results& scenario : all.scenarios)
        for (const row& each : scenario.rows) add(each.server);
}

std::size_t looks::of(std::string_view server) const noexcept {
    return static_cast<std::size_t>(std::ranges::find(servers_, server) - servers_.begin());
}

std::string looks::class_of(std::string_view server) const { return fmt::format("s{}", of(server) % 11); }

std::string label_of(const row& one) {
    constexpr std::size_t cells = 12;
    std::string label = apps::sanitize(one.server, apps::text_context::text, cells);
    if (!troubles_of(one).empty()) label += fmt::format(" {}", trouble_mark);
    return label;
}

std::string_view direction_of(const column& what) noexcept {
    return what.more_is_better ? "More is better." : "Less is better.";
}

}  // namespace comparison
