// SPDX-License-Identifier: MIT
#include "width.hpp"

#include "utf8.hpp"
#include "width_table.hpp"

#include <algorithm>
#include <iterator>

namespace apps {

namespace {

constexpr std::string_view ellipsis = "…";

template <std::size_t N>
bool contains(const width_table::range (&table)[N], char32_t c) noexcept {
    const auto after = std::upper_bound(std::begin(table), std::end(table), c,
                                        [](char32_t value, const width_table::range& r) { return value < r.first; });
    return after != std::begin(table) && c <= std::prev(after)->last;
}

}  // namespace

std::size_t cells_of(char32_t c) noexcept {
    if (c < 0x300) return 1;
    if (contains(width_table::zero_width, c)) return 0;
    return contains(width_table::wide, c) ? 2 : 1;
}

std::size_t cells_of(std::string_view text) noexcept {
    std::size_t cells = 0;
    while (!text.empty()) {
        const auto step = decode_utf8(text);
        cells += cells_of(step.value);
        text.remove_prefix(step.bytes);
    }
    return cells;
}

std::string_view first_cells(std::string_view text, std::size_t cells_max) noexcept {
    std::size_t cells = 0;
    std::size_t end = 0;
    while (end < text.size()) {
        const auto step = decode_utf8(text.substr(end));
        cells += cells_of(step.value);
        if (cells > cells_max) break;
        end += step.bytes;
    }
    return text.substr(0, end);
}

std::string shorten_end(std::string_view text, std::size_t cells_max) {
    if (cells_of(text) <= cells_max) return std::string{text};
    if (cells_max == 0) return {};
    return std::string{first_cells(text, cells_max - 1)}.append(ellipsis);
}

std::string shorten_middle(std::string_view text, std::size_t cells_max) {
    const std::size_t cells = cells_of(text);
    if (cells <= cells_max) return std::string{text};
    if (cells_max == 0) return {};
    const std::size_t tail_cells = (cells_max - 1) / 2;
    auto tail = text;
    for (std::size_t rest = cells; rest > tail_cells;) {  // drop whole characters from the front
        const auto step = decode_utf8(tail);
        rest -= cells_of(step.value);
        tail.remove_prefix(step.bytes);
    }
    while (!tail.empty() && cells_of(decode_utf8(tail).value) == 0) tail.remove_prefix(decode_utf8(tail).bytes);
    const auto head = first_cells(text, cells_max - 1 - tail_cells);
    return std::string{head}.append(ellipsis).append(tail);
}

std::string pad_right(std::string_view text, std::size_t cells) {
    std::string out{text};
    const std::size_t have = cells_of(text);
    if (have < cells) out.append(cells - have, ' ');
    return out;
}

}  // namespace apps
