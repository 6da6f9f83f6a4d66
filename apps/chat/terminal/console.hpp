// SPDX-License-Identifier: MIT
#pragma once

#include "chat/line_source.hpp"
#include "chat/terminal/input_line.hpp"
#include "chat/terminal/line_editor.hpp"
#include "chat/terminal/terminal_mode.hpp"
#include "common/printer.hpp"

namespace chat {

/// Whether standard input and output are a terminal on which a line can be edited.
bool can_edit_lines() noexcept;

/// The terminal: an input line at the bottom of the screen, everything else above it. What was typed is shown once, as a
/// line above, when it is sent. When this ends, the line has gone and the terminal is as it was.
class console final : public line_source {
public:
    /// `out` is standard output's printer.
    console(apps::printer& out, std::string_view nick);
    ~console() override;

    ringlet::task<std::optional<std::string>> next() override;
    /// Ctrl-Z and its end, and windows that change their size.
    ringlet::task<> attend() override;
    bool is_typed() const noexcept override { return true; }
    void set_nick(std::string_view nick) override;

private:
    bool read_keys();
    void show();
    ringlet::task<> stop();
    void go_on();

    apps::printer& out_;
    terminal_mode mode_;  // before the editor, which changes it, too
    line_editor editor_;
    input_line line_;
    std::string prompt_;
    bool hung_up_ = false;
};

}  // namespace chat
