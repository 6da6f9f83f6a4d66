// SPDX-License-Identifier: MIT
#pragma once

#include "compare/report/quantity.hpp"
#include "compare/results.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace comparison {

/// A figure that is reported for each server, in each scenario and at each level.
struct column {
    std::string_view key;    ///< stable, with the unit at its end: "p99_ns"
    std::string_view group;  ///< what it belongs to: "answers", "times", "processor", "memory", "program"
    std::string_view name;   ///< over a column: "99 % within"
    std::string_view unit;
    std::string_view explanation;  ///< one line
    std::string_view title;        ///< over a picture of it
    quantity what;
    /// Over the runs; nullopt where there is nothing to say: not measured, or too few requests to tell. Null for what belongs
    /// to the server, not to a run.
    std::optional<spread> (*of)(const row& one);
    bool more_is_better = false;
};

/// In the order in which they are shown; those of a group are neighbours.
[[nodiscard]] std::span<const column> columns() noexcept;
/// `key` is one of them.
[[nodiscard]] const column& column_of(std::string_view key) noexcept;

/// What it says of a row; of the row's server, where it belongs to that.
[[nodiscard]] std::optional<spread> value_of(const column& what, const row& one, const results& of);

}  // namespace comparison
