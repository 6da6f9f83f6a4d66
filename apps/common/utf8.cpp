// SPDX-License-Identifier: MIT
#include "utf8.hpp"

namespace apps {

namespace {

struct lead {
    std::size_t bytes;         // of the whole sequence; 0: cannot start one
    unsigned char second_min;  // range of the second byte; the others are 80..BF
    unsigned char second_max;
};

lead classify(unsigned char c) noexcept {
    if (c < 0x80) return {1, 0, 0};
    if (c >= 0xc2 && c <= 0xdf) return {2, 0x80, 0xbf};
    if (c == 0xe0) return {3, 0xa0, 0xbf};
    if (c == 0xed) return {3, 0x80, 0x9f};
    if (c >= 0xe1 && c <= 0xef) return {3, 0x80, 0xbf};
    if (c == 0xf0) return {4, 0x90, 0xbf};
    if (c >= 0xf1 && c <= 0xf3) return {4, 0x80, 0xbf};
    if (c == 0xf4) return {4, 0x80, 0x8f};
    return {0, 0, 0};
}

// How many of the bytes that are there fit the sequence that the first one announces.
std::size_t fitting_bytes(std::string_view text, lead l) noexcept {
    std::size_t n = 1;
    for (; n < l.bytes && n < text.size(); ++n) {
        const auto c = static_cast<unsigned char>(text[n]);
        const bool fits = n == 1 ? c >= l.second_min && c <= l.second_max : (c & 0xc0) == 0x80;
        if (!fits) break;
    }
    return n;
}

}  // namespace

utf8_step decode_utf8(std::string_view text) noexcept {
    constexpr utf8_step invalid{U'\uFFFD', 1, false};
    const auto first = static_cast<unsigned char>(text.front());
    const lead l = classify(first);
    if (l.bytes == 1) return {first, 1, true};
    if (l.bytes == 0 || fitting_bytes(text, l) != l.bytes) return invalid;
    char32_t value = first & (0xffU >> (l.bytes + 1));
    for (std::size_t i = 1; i < l.bytes; ++i) value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
    return {value, l.bytes, true};
}

void append_utf8(std::string& out, char32_t value) {
    const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | (value >> shift & 0x3fU)); };
    if (value < 0x80) {
        out += static_cast<char>(value);
    } else if (value < 0x800) {
        out += static_cast<char>(0xc0U | value >> 6);
        tail(0);
    } else if (value < 0x10000) {
        out += static_cast<char>(0xe0U | value >> 12);
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xf0U | value >> 18);
        tail(12);
        tail(6);
        tail(0);
    }
}

std::size_t complete_utf8_prefix(std::string_view text) noexcept {
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const auto rest = text.substr(text.size() - back);
        const lead l = classify(static_cast<unsigned char>(rest.front()));
        if (l.bytes == 0) continue;  // a continuation byte, or never valid: look further back
        const bool begun = l.bytes > back && fitting_bytes(rest, l) == back;
        return begun ? text.size() - back : text.size();
    }
    return text.size();
}

}  // namespace apps
