// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace chat {

/// Where the character that a reader sees before `at` begins: marks, variation selectors, skin tones and what joiners join
/// belong to the one before them. 0 at the beginning.
[[nodiscard]] std::size_t cluster_before(std::wstring_view text, std::size_t at) noexcept;
/// Where the one at `at` ends.
[[nodiscard]] std::size_t cluster_after(std::wstring_view text, std::size_t at) noexcept;

}  // namespace chat
