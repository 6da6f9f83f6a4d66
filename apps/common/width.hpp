// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace apps {

/// Terminal cells that a code point takes: 0, 1 or 2. The same on every machine: the locale is not asked.
[[nodiscard]] std::size_t cells_of(char32_t code_point) noexcept;

/// Terminal cells of UTF-8 text without control characters (sanitize it first). An invalid byte counts 1.
[[nodiscard]] std::size_t cells_of(std::string_view text) noexcept;

/// The longest beginning of `text` that fits `cells_max`; whole characters, with the marks that follow them.
[[nodiscard]] std::string_view first_cells(std::string_view text, std::size_t cells_max) noexcept;

/// `text` if it fits, else its beginning and "…".
[[nodiscard]] std::string shorten_end(std::string_view text, std::size_t cells_max);

/// `text` if it fits, else beginning, "…" and end, so that a file name keeps its extension.
[[nodiscard]] std::string shorten_middle(std::string_view text, std::size_t cells_max);

/// `text` and as many spaces as bring it to `cells`.
[[nodiscard]] std::string pad_right(std::string_view text, std::size_t cells);

}  // namespace apps
