// SPDX-License-Identifier: MIT
#pragma once

namespace chat {

/// Standard input, a terminal, without echo and without lines of its own: each key is there at once, and reading never
/// waits. Ctrl-C and Ctrl-Z still send their signals. The terminal is as it was when this ends, and when the program crashes or aborts.
///
/// The signals that end or stop a program are blocked meanwhile, so that none ends it with the terminal as it is now: wait
/// for them with until_signal. One in a process.
class terminal_mode {
public:
    /// Errors: std::system_error when standard input is no terminal.
    terminal_mode();
    ~terminal_mode();
    terminal_mode(const terminal_mode&) = delete;
    terminal_mode& operator=(const terminal_mode&) = delete;

    /// Without echo and lines again, after `restore` or somebody else.
    void apply() noexcept;
    /// As it was at first.
    void restore() noexcept;
};

}  // namespace chat
