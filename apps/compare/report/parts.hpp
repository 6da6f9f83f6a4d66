// SPDX-License-Identifier: MIT
#pragma once

#include "compare/report/plots.hpp"
#include "compare/results.hpp"

#include <string>
#include <string_view>

/// The parts of the page.
namespace comparison::page {

/// Text from outside, as it stands in the page.
[[nodiscard]] std::string shown(std::string_view text);
/// A server's marker and name.
[[nodiscard]] std::string named(std::string_view server, const looks& styles);

/// All figures of a scenario, in a box that scrolls where the window is narrow.
[[nodiscard]] std::string table_of(const scenario_results& one, const results& all, const looks& styles);
/// Its question, its pictures, its troubles, its table.
[[nodiscard]] std::string section_of(const scenario_results& one, const results& all, const looks& styles);

}  // namespace comparison::page
