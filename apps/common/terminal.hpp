// SPDX-License-Identifier: MIT
#pragma once

#include "progress.hpp"

namespace apps {

/// Whether lines may be drawn over each other there: a terminal, and not TERM=dumb.
[[nodiscard]] bool can_draw(int fd) noexcept;
/// Whether the locale says that the terminal knows UTF-8.
[[nodiscard]] bool utf8_terminal() noexcept;
/// The size of the window now: ask each time, so that it may change; else COLUMNS, else 80 x 24.
[[nodiscard]] progress_style terminal_window(int fd, bool ascii) noexcept;

/// From now on a stop (Ctrl-Z) wipes what a progress_screen has drawn on standard error first.
void note_stops() noexcept;
/// Whether the program was stopped and goes on, since the last call.
[[nodiscard]] bool take_continued() noexcept;

}  // namespace apps
