// SPDX-License-Identifier: MIT
#include "chat/terminal/input_line.hpp"

#include "common/sanitize.hpp"
#include "common/utf8.hpp"
#include "common/width.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chat {
namespace {

struct piece {
    std::string text;
    std::size_t cells;
};

piece shown(wchar_t c) {
    std::string utf8;
    apps::append_utf8(utf8, static_cast<char32_t>(c));
    std::string safe = apps::sanitize(utf8, apps::text_context::text);
    const std::size_t cells = apps::cells_of(safe);
    return {std::move(safe), cells};
}

std::size_t cells_between(const std::vector<piece>& all, std::size_t begin, std::size_t end) noexcept {
    std::size_t cells = 0;
    for (; begin < end; ++begin) cells += all[begin].cells;
    return cells;
}

std::string joined(const std::vector<piece>& all, std::size_t begin, std::size_t end) {
    std::string text;
    for (; begin < end; ++begin) text += all[begin].text;
    return text;
}

// The first character to show when not all of them fit `room` cells with both marks.
std::size_t first_shown(const std::vector<piece>& all, std::size_t cursor, std::size_t room, std::size_t begin) {
    begin = std::min(begin, cursor);
    std::size_t to_cursor = cells_between(all, begin, cursor);
    while (begin < cursor && to_cursor > room) to_cursor -= all[begin++].cells;
    // What was erased at the end makes room at the beginning.
    std::size_t to_end = cells_between(all, begin, all.size());
    while (begin > 0 && to_end + all[begin - 1].cells <= room) to_end += all[--begin].cells;
    // Marks do not stand without what they belong to.
    while (begin > 0 && begin < cursor && all[begin].cells == 0) ++begin;
    return begin;
}

}  // namespace

line_view lay_out(std::string_view prompt, std::wstring_view text, std::size_t cursor, std::size_t cells_max,
                  std::size_t& begin) {
    std::vector<piece> all;
    all.reserve(text.size());
    for (const wchar_t c : text) all.push_back(shown(c));
    line_view view;
    view.before = apps::first_cells(prompt, cells_max / 2);
    const std::size_t room = cells_max - apps::cells_of(view.before);
    if (cells_between(all, 0, all.size()) <= room) {
        begin = 0;
        view.before += joined(all, 0, cursor);
        view.after = joined(all, cursor, all.size());
        return view;
    }
    const std::size_t room_with_marks = room - std::min<std::size_t>(room, 2);
    begin = first_shown(all, cursor, room_with_marks, begin);
    std::size_t end = cursor;
    std::size_t cells = cells_between(all, begin, cursor);
    while (end < all.size() && cells + all[end].cells <= room_with_marks) cells += all[end++].cells;
    if (begin > 0) view.before += '<';
    view.before += joined(all, begin, cursor);
    view.after = joined(all, cursor, end);
    if (end < all.size()) view.after += '>';
    return view;
}

std::size_t row_of_end(std::string_view text, std::size_t columns) noexcept {
    std::size_t row = 0;
    std::size_t column = 0;
    while (!text.empty()) {
        const auto step = apps::decode_utf8(text);
        const std::size_t cells = apps::cells_of(step.value);
        if (column + cells > columns && column > 0) {
            ++row;
            column = 0;
        }
        column += cells;
        text.remove_prefix(step.bytes);
    }
    return column >= columns ? row + 1 : row;
}

void input_line::set(std::string_view prompt, std::wstring_view text, std::size_t cursor) {
    prompt_ = prompt;
    text_ = text;
    cursor_ = cursor;
}

std::string input_line::wipe() {
    if (!drawn_) return {};
    drawn_ = false;
    const std::size_t columns = columns_();
    const std::size_t row = columns < drawn_columns_ ? row_of_end(drawn_before_, columns) : 0;
    return (row > 0 ? fmt::format("\x1b[{}A", row) : std::string{}) + "\r\x1b[J";
}

std::string input_line::draw() {
    std::string out;
    const std::size_t columns = std::max<std::size_t>(columns_(), 4);
    if (drawn_ && columns != drawn_columns_) out += wipe();
    const line_view view = lay_out(prompt_, text_, cursor_, columns - 1, begin_);
    // Not wrapped, should the terminal and we not agree on a width; and where the cursor is, it finds out itself.
    out += "\x1b[?7l\r" + view.before + view.after + "\x1b[K";
    if (!view.after.empty()) out += "\r" + view.before;
    out += "\x1b[?7h";
    drawn_ = true;
    drawn_columns_ = columns;
    drawn_before_ = view.before;
    return out;
}

}  // namespace chat
