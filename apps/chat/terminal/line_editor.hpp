// SPDX-License-Identifier: MIT
#pragma once

#include "chat/terminal/keys.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace chat {

/// Edits one line after another: libedit with its hands tied. It gets keys and keeps text, cursor, history and what was
/// killed; it neither reads nor draws nor changes the terminal, so it never waits. See docs/decisions/line-editing.md.
class line_editor {
public:
    /// `terminal`: a descriptor of one, which libedit wants to see; used during the call only.
    /// Errors: std::runtime_error when there is none.
    explicit line_editor(int terminal);
    ~line_editor();
    line_editor(const line_editor&) = delete;
    line_editor& operator=(const line_editor&) = delete;

    /// Takes what was typed, up to a Ctrl-D on an empty line.
    void type(std::string_view bytes);

    /// Lines that were ended by Enter, first in first out, UTF-8; the caller takes them.
    std::deque<std::string>& lines() noexcept { return lines_; }
    /// Ctrl-D was typed on an empty line.
    bool ended() const noexcept { return ended_; }
    /// Characters since the last call for which the line had no room.
    std::size_t take_refused() noexcept;
    /// Ctrl-L was typed since the last call.
    bool take_clear_screen() noexcept;
    /// The line that is being typed, until something else is typed.
    std::wstring_view text() const noexcept;
    /// Characters before the cursor.
    std::size_t cursor() const noexcept;

private:
    struct library;

    void finish_line();
    void end_input() noexcept { ended_ = true; }
    void clear_screen() noexcept { clear_screen_ = true; }
    bool is_full() const noexcept;

    key_decoder decoder_;
    std::deque<wchar_t> keys_;
    std::deque<std::string> lines_;
    bool ended_ = false;
    bool clear_screen_ = false;
    std::size_t refused_ = 0;
    std::unique_ptr<library> library_;
};

}  // namespace chat
