// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include "numbers.hpp"
#include "sanitize.hpp"
#include "width.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace apps {

namespace {

std::optional<unsigned> percent_of(std::uint64_t done, std::optional<std::uint64_t> total) noexcept {
    if (!total || *total == 0) return std::nullopt;
    // 100 only when all is there; nothing over 100 when the peer sends more than it said
    if (done >= *total) return 100;
    return std::min(99U, static_cast<unsigned>(static_cast<double>(done) / static_cast<double>(*total) * 100));
}

std::string amount(std::uint64_t done, std::optional<std::uint64_t> total) {
    return total ? format_size(done) + "/" + format_size(*total) : format_size(done);
}

std::string eta_text(std::optional<std::chrono::seconds> eta) { return eta ? " ETA " + format_duration(*eta) : ""; }

std::string bar(unsigned percent, std::size_t cells, bool ascii) {
    const std::size_t full = cells * percent / 100;
    std::string out;
    for (std::size_t i = 0; i < cells; ++i) out += i < full ? (ascii ? "#" : "█") : (ascii ? "-" : "░");
    return out;
}

// Cells of each column, from the window's width alone, so that the bars of all items stand below each other.
struct columns {
    explicit columns(std::size_t cells) noexcept
        : name{std::clamp<std::size_t>(cells / 4, 12, 32)}, bar{cells > name + facts ? cells - name - facts : 0} {
        bar = bar < bar_min ? 0 : std::min(bar, bar_max);
    }

    static constexpr std::size_t facts = 50;  // percent, amount, rate and ETA at their longest, with spaces
    static constexpr std::size_t bar_min = 8;
    static constexpr std::size_t bar_max = 30;
    std::size_t name;
    std::size_t bar;
};

// name, bar, percent, amount, rate, ETA. In a narrow window first the bar goes, then what stands last.
std::string item_line(const progress_item& item, std::size_t cells_max, bool ascii) {
    const columns width{cells_max};
    std::string line = pad_right(sanitize(item.name, text_context::field, width.name), width.name);
    if (!item.note.empty()) {
        const std::size_t room = cells_max - std::min(cells_max, width.name + 1);
        return line + " " + sanitize(item.note, text_context::field, room);
    }

    const auto percent = percent_of(item.done_bytes, item.total_bytes);
    if (width.bar > 0) line += " " + (percent ? bar(*percent, width.bar, ascii) : std::string(width.bar, ' '));
    const std::array facts{percent ? fmt::format(" {:3}%", *percent) : std::string(5, ' '),
                           " " + amount(item.done_bytes, item.total_bytes),
                           item.stalled ? " stalled" : " " + format_rate(item.bytes_per_second),
                           item.stalled ? "" : eta_text(item.eta)};
    for (const auto& fact : facts) {
        if (cells_of(line) + cells_of(fact) > cells_max) break;
        line += fact;
    }
    return line;
}

std::string total_line(const progress_state& state, std::size_t hidden, std::size_t cells_max) {
    std::string line = fmt::format("{}/{} files", state.files_done, state.files_total);
    if (state.files_failed > 0) line += fmt::format(" {} failed", state.files_failed);
    if (const auto percent = percent_of(state.done_bytes, state.total_bytes)) line += fmt::format(" {}%", *percent);
    line += " " + amount(state.done_bytes, state.total_bytes) + " " + format_rate(state.bytes_per_second);
    line += eta_text(state.eta);
    const auto more = hidden > 0 ? fmt::format(" (+{})", hidden) : std::string{};
    return shorten_end(line, cells_max - std::min(cells_max, more.size())) + more;
}

}  // namespace

std::vector<std::string> render_progress(const progress_state& state, const progress_style& style) {
    const std::size_t cells_max = std::max<std::size_t>(style.columns, 11) - 1;
    const std::size_t items_max = style.rows > 2 ? style.rows - 2 : 0;
    const std::size_t shown = std::min(items_max, state.active.size());
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < shown; ++i) lines.push_back(item_line(state.active[i], cells_max, style.ascii));
    lines.push_back(total_line(state, state.active.size() - shown, cells_max));
    for (auto& line : lines) line = first_cells(line, cells_max);
    return lines;
}

std::size_t progress_screen::rows_taken(std::size_t columns) const noexcept {
    std::size_t rows = 0;
    for (const std::size_t cells : drawn_cells_)
        rows += columns == 0 ? 1 : std::max<std::size_t>((cells + columns - 1) / columns, 1);
    return rows;
}

std::string progress_screen::clear(std::size_t columns) {
    const std::size_t rows = rows_taken(columns);
    drawn_cells_.clear();
    if (rows == 0) return {};
    std::string out = "\r";
    if (rows > 1) out += fmt::format("\x1b[{}A", rows - 1);
    return out + "\x1b[J";
}

std::string progress_screen::update(const std::vector<std::string>& lines, const std::vector<std::string>& finished,
                                    std::size_t columns) {
    std::string out;
    const std::size_t rows = rows_taken(columns);
    // The cursor rests behind the last line. Lines are written over, not wiped first: that would flicker.
    if (rows > 0) out += "\r";
    if (rows > 1) out += fmt::format("\x1b[{}A", rows - 1);
    const auto put = [&out](const std::string& line) {
        out += line;
        out += "\x1b[K";
    };
    for (const auto& line : finished) {
        put(line);
        out += "\n";
    }
    drawn_cells_.clear();
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i > 0) out += "\n";
        put(lines[i]);
        drawn_cells_.push_back(cells_of(lines[i]));
    }
    out += "\x1b[J";  // what the last picture had below this one
    return out;
}

}  // namespace apps
