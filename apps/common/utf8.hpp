// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace apps {

/// Joins two emoji to one; elsewhere it is not seen.
inline constexpr char32_t zero_width_joiner = 0x200d;

/// One step through UTF-8 text.
struct utf8_step {
    char32_t value;     ///< the code point; U+FFFD when not valid
    std::size_t bytes;  ///< 1..4, 1 when not valid
    bool valid;
};

/// Decodes the first code point of `text`, strictly: overlong forms, surrogates and values over U+10FFFF are invalid
/// (Unicode table 3-7). `text` is not empty.
[[nodiscard]] utf8_step decode_utf8(std::string_view text) noexcept;

/// Appends the UTF-8 form of a valid code point.
void append_utf8(std::string& out, char32_t value);

/// Bytes of `text` before a sequence that is only begun at its end, 0..3 less than text.size(). Who reads text in
/// pieces holds the rest back for the next piece.
[[nodiscard]] std::size_t complete_utf8_prefix(std::string_view text) noexcept;

}  // namespace apps
