// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace chat {

/// Codes of what a key asks for, where the editor has no control character of its own for it. No terminal sends these:
/// what it sends is filtered.
namespace key {
inline constexpr wchar_t escape = 0x1b;  ///< the letter behind it is with Meta
inline constexpr wchar_t erase = 0x7f;
inline constexpr wchar_t start_over = 0x1c;
inline constexpr wchar_t erase_right = 0x1d;
}  // namespace key

/// Makes key codes of the bytes that a terminal sends, however they are cut. Only what the editor knows gets through:
/// characters, the control characters that it has a use for, and those for which arrows, Home, End, Delete and their like
/// stand. All other control characters and sequences are dropped; an invalid byte is U+FFFD.
class key_decoder {
public:
    [[nodiscard]] std::wstring decode(std::string_view bytes);

private:
    std::string held_;  // what is only begun
};

}  // namespace chat
