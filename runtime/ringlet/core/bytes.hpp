// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

namespace ringlet {

/// The bytes of a text, where they lie.
inline std::span<const std::byte> as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Bytes read as text, where they lie. Nothing is checked: what came from outside may hold anything.
inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

namespace detail {

/// A limit in bytes to which a little can be added: SIZE_MAX, which means none, would overflow. No more than this fits into
/// memory.
constexpr std::size_t clamped_limit(std::size_t bytes_max) noexcept {
    return std::min(bytes_max, std::numeric_limits<std::size_t>::max() / 2);
}

}  // namespace detail
}  // namespace ringlet
