// SPDX-License-Identifier: MIT
#pragma once

#include "compare/report/columns.hpp"
#include "compare/results.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace comparison {

/// Which colour, dash and marker a server has: the same in every picture.
class looks {
public:
    explicit looks(const results& all);
    [[nodiscard]] std::size_t of(std::string_view server) const noexcept;
    /// The class of the style sheet.
    [[nodiscard]] std::string class_of(std::string_view server) const;

private:
    std::vector<std::string> servers_;
};

/// The rows of one level of a scenario, which is what most pictures show.
using rows_of_level = std::span<const row* const>;

/// A picture names each of its servers, also those without a figure. Title and note are text, not HTML.
struct figure {
    std::string title;
    std::string note;     ///< how it is read; may be empty
    std::string drawing;  ///< SVG; empty: there is nothing to draw
};

/// A bar for each server, with its range.
[[nodiscard]] figure draw_bars(const column& what, rows_of_level rows, const looks& styles);
/// The time of requests against the share that was as fast, of each server's typical run.
[[nodiscard]] figure draw_curves(rows_of_level rows, const looks& styles);
/// A figure against the number of connections; `rows` of all levels.
[[nodiscard]] figure draw_levels(const column& what, std::span<const row> rows, const looks& styles);
/// Who waited for whom.
[[nodiscard]] figure draw_timeline(rows_of_level rows, const looks& styles);

/// "More is better."
[[nodiscard]] std::string_view direction_of(const column& what) noexcept;
/// The server's name as it stands in a picture: short, and with a mark when there was trouble.
[[nodiscard]] std::string label_of(const row& one);
inline constexpr std::string_view trouble_mark = "†";

}  // namespace comparison
