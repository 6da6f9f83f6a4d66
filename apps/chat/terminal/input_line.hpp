// SPDX-License-Identifier: MIT
#pragma once

#include "common/printer.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

/// What of a line stands in the window: as much around the cursor as fits one row.
struct line_view {
    std::string before;  ///< left of the cursor, with the prompt
    std::string after;   ///< right of it
};

/// Lays a line out in `cells_max` cells. `begin` is the first character shown last time, and is set anew: text moves only
/// when the cursor would leave the window. '<' and '>' stand where some of it is hidden. Controls are made visible.
[[nodiscard]] line_view lay_out(std::string_view prompt, std::wstring_view text, std::size_t cursor,
                                std::size_t cells_max, std::size_t& begin);

/// In which row below its first the end of `text` comes to stand once a terminal has wrapped it anew at `columns`.
[[nodiscard]] std::size_t row_of_end(std::string_view text, std::size_t columns) noexcept;

/// The line that is being typed, at the bottom of the screen. Never more than one row: a window that becomes narrower wraps
/// what stands there until it is drawn again.
class input_line final : public apps::bottom_line {
public:
    /// `columns` tells the width of the window, whenever it is asked.
    explicit input_line(std::function<std::size_t()> columns) : columns_{std::move(columns)} {}

    void set(std::string_view prompt, std::wstring_view text, std::size_t cursor);
    /// Nobody knows what stands in the row of the cursor now, such as after a shell has had the terminal; that is all that
    /// will be wiped.
    void leave() noexcept {
        drawn_ = true;
        drawn_before_.clear();
    }
    std::string wipe() override;
    std::string draw() override;

private:
    std::function<std::size_t()> columns_;
    std::string prompt_;
    std::wstring text_;
    std::size_t cursor_ = 0;
    std::size_t begin_ = 0;
    bool drawn_ = false;
    std::size_t drawn_columns_ = 0;
    std::string drawn_before_;
};

}  // namespace chat
