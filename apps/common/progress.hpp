// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace apps {

/// One transfer that is under way.
struct progress_item {
    std::string name;  ///< as it came from outside: sanitized when drawn
    std::uint64_t done_bytes = 0;
    std::optional<std::uint64_t> total_bytes;
    double bytes_per_second = 0;
    std::optional<std::chrono::seconds> eta;
    bool stalled = false;  ///< shown instead of the rate
    std::string note;      ///< shown instead of the bar when not empty ("connecting", "retry 2 in 4s")
};

/// Everything that the display shows at one moment.
struct progress_state {
    std::vector<progress_item> active;
    std::size_t files_done = 0;
    std::size_t files_total = 0;
    std::size_t files_failed = 0;
    std::size_t files_skipped = 0;
    std::uint64_t done_bytes = 0;
    std::optional<std::uint64_t> total_bytes;  ///< of all files, where all are known
    double bytes_per_second = 0;
    std::optional<std::chrono::seconds> eta;
};

struct progress_style {
    std::size_t columns = 80;
    std::size_t rows = 24;
    bool ascii = false;  ///< bars of '#' and '-', for terminals without UTF-8
};

/// The lines to show: one for each active item, at most rows - 2 of them, then the total line, which says "(+N)" when N
/// more items are active. Each line is at most columns - 1 cells, without escape sequences. Pure: no clock, no terminal.
[[nodiscard]] std::vector<std::string> render_progress(const progress_state& state, const progress_style& style);

/// The total line alone, for where nothing can be drawn over.
[[nodiscard]] std::string render_total(const progress_state& state, std::size_t cells_max);

/// Draws such lines again and again in the same place, as strings to write to a terminal in one piece. Does no I/O.
///
/// The cursor rests at the first cell of the first line: a terminal that changes its size and wraps lines anew carries it
/// along, so whatever the width is now or was a moment ago, "\r\x1b[J" wipes all of it. While lines are drawn the terminal
/// does not wrap: one that is too long, because the window has just become narrower, still takes one row.
class progress_screen {
public:
    /// What to write so that `finished` stands above, for good, and `lines` below it replace the lines of before.
    [[nodiscard]] std::string update(const std::vector<std::string>& lines, const std::vector<std::string>& finished);
    /// Something else was written meanwhile: the next update leaves alone what stands there and begins at the cursor.
    void leave() noexcept { drawn_ = false; }
    /// What to write so that nothing of the lines is left.
    [[nodiscard]] std::string clear();

private:
    bool drawn_ = false;
};

}  // namespace apps
