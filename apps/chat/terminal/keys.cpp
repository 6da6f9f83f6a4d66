// SPDX-License-Identifier: MIT
#include "chat/terminal/keys.hpp"

#include "common/utf8.hpp"

#include <cstddef>
#include <optional>

namespace chat {
namespace {

constexpr std::size_t sequence_bytes_max = 32;
constexpr wchar_t control(char letter) noexcept { return letter & 0x1f; }

// Ctrl with these letters: cursor, erasing, history, end, screen, tab and the two line ends.
constexpr std::string_view controls = "ABDEFHIJKLMNPUWY";
constexpr std::string_view metas = "bdf\x7f";

bool is_known_control(wchar_t c) noexcept {
    return c == key::erase || (c < 0x20 && controls.find(static_cast<char>(c | 0x40)) != controls.npos);
}

// A sequence from ESC on: what it means, and how long it is. No length: it is only begun.
struct sequence {
    std::wstring keys;
    std::optional<std::size_t> bytes;
};

std::wstring cursor_key(char letter, bool modified) {
    switch (letter) {
        case 'A':
            return {control('P')};
        case 'B':
            return {control('N')};
        case 'C':
            return modified ? std::wstring{key::escape, L'f'} : std::wstring{control('F')};
        case 'D':
            return modified ? std::wstring{key::escape, L'b'} : std::wstring{control('B')};
        case 'H':
            return {control('A')};
        case 'F':
            return {control('E')};
        default:
            return {};
    }
}

std::wstring numbered_key(std::string_view parameters) {
    if (parameters == "1" || parameters == "7") return {control('A')};
    if (parameters == "4" || parameters == "8") return {control('E')};
    if (parameters == "3") return {key::erase_right};
    return {};
}

// ESC [ parameters final
sequence decode_csi(std::string_view text) {
    std::size_t end = 2;
    while (end < text.size() && text[end] >= 0x20 && text[end] < 0x40) ++end;
    if (end == text.size()) {
        if (end < sequence_bytes_max) return {};
        return {{}, end};
    }
    const auto parameters = text.substr(2, end - 2);
    const char final = text[end];
    if (final < 0x40 || final > 0x7e) return {{}, end};  // broken off; what breaks it is looked at by itself
    return {final == '~' ? numbered_key(parameters) : cursor_key(final, parameters.find(';') != parameters.npos),
            end + 1};
}

sequence decode_sequence(std::string_view text) {
    if (text.size() < 2) return {};
    switch (text[1]) {
        case '[':
            return decode_csi(text);
        case 'O':
            if (text.size() < 3) return {};
            return {cursor_key(text[2], false), 3};
        case '\x1b':
            return {{}, 1};
        default:
            break;
    }
    if (metas.find(text[1]) != metas.npos) return {{key::escape, static_cast<wchar_t>(text[1])}, 2};
    const bool other = text[1] > 0x20 && text[1] < 0x7f;  // with Meta, of no use here
    return {{}, other ? std::size_t{2} : std::size_t{1}};
}

}  // namespace

std::wstring key_decoder::decode(std::string_view bytes) {
    held_ += bytes;
    std::string_view rest = std::string_view{held_}.substr(0, apps::complete_utf8_prefix(held_));
    std::wstring keys;
    while (!rest.empty()) {
        if (rest.front() == key::escape) {
            const sequence found = decode_sequence(rest);
            if (!found.bytes) break;
            keys += found.keys;
            rest.remove_prefix(*found.bytes);
            continue;
        }
        const auto step = apps::decode_utf8(rest);
        const auto c = static_cast<wchar_t>(step.value);
        const bool is_control = c < 0x20 || (c >= 0x7f && c < 0xa0);
        if (!is_control || is_known_control(c)) keys += c;
        rest.remove_prefix(step.bytes);
    }
    const auto begun = apps::complete_utf8_prefix(held_);
    held_.erase(0, begun - rest.size());
    return keys;
}

}  // namespace chat
