// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace apps {

/// Where text from outside is going to stand.
enum class text_context {
    field,  ///< a name, URL, address or error text within a line of ours, on a terminal
    text,   ///< what a person wrote to a person: one line of chat
    log,    ///< a field of a log line; unambiguous, and safe between double quotes
};

/// What is not seen itself but changes how the text around it is seen: the twelve bidirectional controls, zero-width
/// U+200B..200D and U+FEFF, line and paragraph separators.
[[nodiscard]] bool is_unseen(char32_t code_point) noexcept;

/// Whether U+200D between `before` and the beginning of `rest` joins two emoji: then it is part of one.
[[nodiscard]] bool joins_emoji(char32_t before, std::string_view rest) noexcept;

/// Makes text that came from outside (file names, URLs, headers, peers, chat) safe to print: no escape sequence, no
/// second line, no reordering of what stands around it. Every program prints such text through this and nothing else.
///
/// - Decoded strictly as UTF-8. An invalid byte becomes U+FFFD, in `log` \xHH; so does, everywhere, a byte that an
///   8-bit terminal would take for a C1 control.
/// - C0 controls, DEL and C1 controls become \xHH, newline and tab too; in `text` a tab becomes a space.
/// - `field` and `log` double a backslash, and `log` writes a double quote as \x22, so that it can be read back.
/// - The twelve bidirectional controls become \uHHHH in `field` and `log` and are dropped in `text`; Hebrew and Arabic
///   need none of them. Zero-width U+200B..200D and U+FEFF become \uHHHH in `field` and `log`, but U+200D between two
///   emoji stays. Line and paragraph separators become \uHHHH everywhere.
///
/// Result:    at most `cells_max` terminal cells, `field` shortened in the middle, the others at the end. Of the input,
///            at most the first 64 KiB are looked at.
[[nodiscard]] std::string sanitize(std::string_view raw, text_context context,
                                   std::size_t cells_max = std::numeric_limits<std::size_t>::max());

}  // namespace apps
