// SPDX-License-Identifier: MIT
#include "compare/report/troubles.hpp"

#include "compare/report/quantity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace comparison {
namespace {

std::string counted(std::uint64_t count) { return show(quantity::whole, static_cast<double>(count)); }

void add(std::string& list, std::string_view separator, std::string_view more) {
    if (!list.empty()) list += separator;
    list += more;
}

std::string errors_of(const row& one) {
    std::uint64_t errors = 0;
    std::string kinds;
    for (std::size_t kind = 0; kind < error_kinds; ++kind) {
        std::uint64_t count = 0;
        for (const measurement& run : one.runs) count += run.errors[kind];
        if (count > 0) add(kinds, ", ", fmt::format("{} {}", counted(count), name_of(static_cast<error_kind>(kind))));
        errors += count;
    }
    if (errors == 0) return {};
    return fmt::format("{} {}: {}", counted(errors), errors == 1 ? "error" : "errors", kinds);
}

}  // namespace

std::string troubles_of(const row& one) {
    std::string out;
    if (!one.why_not.empty()) out = "not run: " + one.why_not;
    const auto fewest = std::ranges::min_element(one.runs, {}, &measurement::served);
    if (fewest != one.runs.end() && fewest->served < fewest->connections)
        add(out, "; ",
            fmt::format("served {} of {} connections", counted(fewest->served), counted(fewest->connections)));
    if (const std::string errors = errors_of(one); !errors.empty()) add(out, "; ", errors);
    return out;
}

}  // namespace comparison
