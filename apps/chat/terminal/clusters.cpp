// SPDX-License-Identifier: MIT
#include "chat/terminal/clusters.hpp"

#include "common/utf8.hpp"
#include "common/width.hpp"

namespace chat {
namespace {

bool is_regional(wchar_t c) noexcept { return c >= 0x1f1e6 && c <= 0x1f1ff; }

// Whether the characters on both sides of `at` are parts of one.
bool holds_together(std::wstring_view text, std::size_t at) noexcept {
    const wchar_t before = text[at - 1];
    const wchar_t after = text[at];
    if (after >= 0x300 && apps::cells_of(static_cast<char32_t>(after)) == 0) return true;
    if (before == apps::zero_width_joiner || (after >= 0x1f3fb && after <= 0x1f3ff)) return true;
    if (!is_regional(before) || !is_regional(after)) return false;
    std::size_t flags = 0;  // letters make a flag in twos
    while (flags < at && is_regional(text[at - 1 - flags])) ++flags;
    return flags % 2 == 1;
}

}  // namespace

std::size_t cluster_before(std::wstring_view text, std::size_t at) noexcept {
    if (at == 0) return 0;
    do --at;
    while (at > 0 && holds_together(text, at));
    return at;
}

std::size_t cluster_after(std::wstring_view text, std::size_t at) noexcept {
    if (at == text.size()) return at;
    do ++at;
    while (at < text.size() && holds_together(text, at));
    return at;
}

}  // namespace chat
