// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ringlet::http::detail {

/// Character classes of RFC 9110 section 5.6.2, 5.5 and RFC 3986 section 2, one bit each.
enum character_class : std::uint8_t {
    token_char = 1,   // tchar
    value_char = 2,   // field-vchar, SP, HTAB (obs-text included)
    target_char = 4,  // visible ASCII, as browsers send it, but not '#'
    hex_digit = 8,    // HEXDIG
    digit = 16,       // DIGIT
    host_char = 32,   // reg-name without pct-encoded
    unreserved = 64,  // RFC 3986 section 2.3
    non_ascii = 128,  // 0x80..0xFF
};

consteval std::array<std::uint8_t, 256> make_character_table() {
    std::array<std::uint8_t, 256> table{};
    const auto mark = [&table](std::string_view characters, std::uint8_t bits) {
        for (const char c : characters) table[static_cast<unsigned char>(c)] |= bits;
    };
    constexpr std::string_view alnum = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    mark(alnum, token_char | host_char | unreserved);
    mark("!#$%&'*+-.^_`|~", token_char);
    mark("0123456789", digit | hex_digit);
    mark("abcdefABCDEF", hex_digit);
    mark("-._~", host_char | unreserved);
    mark("!$&'()*+,;=", host_char);
    for (unsigned c = 0x20; c < 0x100; ++c)
        if (c != 0x7f) table[c] |= value_char;
    table['\t'] |= value_char;
    for (unsigned c = 0x21; c < 0x7f; ++c)
        if (c != '#') table[c] |= target_char;
    for (unsigned c = 0x80; c < 0x100; ++c) table[c] |= non_ascii;
    return table;
}

inline constexpr std::array<std::uint8_t, 256> character_table = make_character_table();

/// True when `c` is in one of `classes`.
[[nodiscard]] constexpr bool is(char c, unsigned classes) noexcept {
    return (character_table[static_cast<unsigned char>(c)] & classes) != 0;
}

/// True when `text` is not empty and every character is in one of `classes`.
[[nodiscard]] constexpr bool all_of(std::string_view text, unsigned classes) noexcept {
    for (const char c : text)
        if (!is(c, classes)) return false;
    return !text.empty();
}

/// Value of a hexadecimal digit; the caller has checked that it is one.
[[nodiscard]] constexpr unsigned hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    return static_cast<unsigned>((c | 0x20) - 'a' + 10);
}

[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// ASCII case-insensitive comparison, the same in every locale.
[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    if (a == b) return true;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (to_lower(a[i]) != to_lower(b[i])) return false;
    return true;
}

/// Without leading and trailing SP and HTAB (OWS, RFC 9110 section 5.6.3).
[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

}  // namespace ringlet::http::detail
