// SPDX-License-Identifier: MIT
#include "sanitize.hpp"

#include "utf8.hpp"
#include "width.hpp"

#include <array>

namespace apps {

namespace {

constexpr std::size_t input_bytes_max = 64 * 1024;

bool is_control(char32_t c) noexcept { return c < 0x20 || (c >= 0x7f && c <= 0x9f); }

// Unicode's Bidi_Control property.
bool is_bidi_control(char32_t c) noexcept {
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool is_zero_width(char32_t c) noexcept { return (c >= 0x200b && c <= 0x200d) || c == 0xfeff; }
bool is_separator(char32_t c) noexcept { return c == 0x2028 || c == 0x2029; }

// What may stand on either side of a joiner: pictographs, their skin tones and the variation selector behind them.
bool is_emoji_part(char32_t c) noexcept {
    return (c >= 0x1f000 && c <= 0x1faff) || (c >= 0x2190 && c <= 0x2bff) || c == 0xfe0f;
}

void append_hex(std::string& out, std::string_view prefix, unsigned value, unsigned digits) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += prefix;
    for (unsigned i = digits; i > 0; --i) out += hex[value >> (4 * (i - 1)) & 15U];
}

// Appends one code point, or what stands for it. `joins`: it is a joiner between two emoji.
void append_safe(std::string& out, char32_t c, text_context context, bool joins) {
    const bool text = context == text_context::text;
    const auto number = static_cast<unsigned>(c);
    if (text && c == '\t') {
        out += ' ';
    } else if (is_control(c) || (context == text_context::log && c == '"')) {
        append_hex(out, "\\x", number, 2);
    } else if (c == '\\' && !text) {
        out += "\\\\";
    } else if (is_separator(c) || (!text && (is_bidi_control(c) || (is_zero_width(c) && !joins)))) {
        append_hex(out, "\\u", number, 4);
    } else if (!is_bidi_control(c)) {
        append_utf8(out, c);
    }
}

}  // namespace

bool is_unseen(char32_t c) noexcept { return is_bidi_control(c) || is_zero_width(c) || is_separator(c); }

bool joins_emoji(char32_t before, std::string_view rest) noexcept {
    return is_emoji_part(before) && !rest.empty() && is_emoji_part(decode_utf8(rest).value);
}

std::string sanitize(std::string_view raw, text_context context, std::size_t cells_max) {
    raw = raw.substr(0, input_bytes_max);
    std::string out;
    out.reserve(raw.size());
    char32_t before = 0;
    while (!raw.empty()) {
        const auto step = decode_utf8(raw);
        const auto byte = static_cast<unsigned char>(raw.front());
        raw.remove_prefix(step.bytes);
        if (step.valid) {
            const bool joins = step.value == zero_width_joiner && joins_emoji(before, raw);
            append_safe(out, step.value, context, joins);
        } else if (context == text_context::log || byte <= 0x9f) {
            append_hex(out, "\\x", byte, 2);
        } else {
            append_utf8(out, step.value);
        }
        before = step.value;
    }
    return context == text_context::field ? shorten_middle(out, cells_max) : shorten_end(out, cells_max);
}

}  // namespace apps
