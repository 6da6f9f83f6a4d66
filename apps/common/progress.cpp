// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include "numbers.hpp"
#include "sanitize.hpp"
#include "utf8.hpp"
#include "width.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

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
    if (state.files_skipped > 0) line += fmt::format(" {} skipped", state.files_skipped);
    if (const auto percent = percent_of(state.done_bytes, state.total_bytes)) line += fmt::format(" {}%", *percent);
    line += " " + amount(state.done_bytes, state.total_bytes) + " " + format_rate(state.bytes_per_second);
    line += eta_text(state.eta);
    const auto more = hidden > 0 ? fmt::format(" (+{})", hidden) : std::string{};
    return shorten_end(line, cells_max - std::min(cells_max, more.size())) + more;
}

// In ASCII, of the same width.
std::string without_utf8(std::string_view line) {
    std::string out;
    while (!line.empty()) {
        const utf8_step step = decode_utf8(line);
        if (step.value < 0x80)
            out += static_cast<char>(step.value);
        else
            out.append(cells_of(step.value), step.value == U'…' ? '~' : '?');
        line.remove_prefix(step.bytes);
    }
    return out;
}

}  // namespace

std::string render_total(const progress_state& state, std::size_t cells_max) {
    return std::string{first_cells(total_line(state, 0, cells_max), cells_max)};
}

std::vector<std::string> render_progress(const progress_state& state, const progress_style& style) {
    const std::size_t cells_max = std::max<std::size_t>(style.columns, 11) - 1;
    const std::size_t items_max = style.rows > 2 ? style.rows - 2 : 0;
    const std::size_t shown = std::min(items_max, state.active.size());
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < shown; ++i) lines.push_back(item_line(state.active[i], cells_max, style.ascii));
    lines.push_back(total_line(state, state.active.size() - shown, cells_max));
    for (auto& line : lines)
        line = style.ascii ? without_utf8(first_cells(line, cells_max)) : first_cells(line, cells_max);
    return lines;
}

std::string progress_screen::clear() {
    if (!drawn_) return {};
    drawn_ = false;
    return "\r\x1b[J";
}

std::string progress_screen::update(const std::vector<std::string>& lines, const std::vector<std::string>& finished) {
    std::string out;
    if (drawn_) out += "\r";
    if (drawn_ && !finished.empty()) out += "\x1b[J";
    for (const auto& line : finished) out += line + "\n";
    // Lines are written over, not wiped first: that would flicker.
    if (!lines.empty()) out += "\x1b[?7l";
    for (std::size_t i = 0; i < lines.size(); ++i) out += (i > 0 ? "\n" : "") + lines[i] + "\x1b[K";
    if (!lines.empty()) out += "\x1b[?7h\x1b[J\r";  // and what the last picture had below this one
    if (lines.size() > 1) out += fmt::format("\x1b[{}A", lines.size() - 1);
    drawn_ = !lines.empty();
    return out;
}

}  // namespace apps
