// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/percent.hpp>

namespace ringlet::http {

namespace {

std::string encode(std::string_view text, bool keep_slash) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (detail::is(c, detail::unreserved) || (keep_slash && c == '/')) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (!detail::all_of(text.substr(i + 1, 2), detail::hex_digit) || i + 2 >= text.size()) return std::nullopt;
        out += static_cast<char>(detail::hex_value(text[i + 1]) << 4 | detail::hex_value(text[i + 2]));
        i += 2;
    }
    return out;
}

std::string percent_encode(std::string_view text) { return encode(text, false); }
std::string percent_encode_path(std::string_view path) { return encode(path, true); }

}  // namespace ringlet::http
