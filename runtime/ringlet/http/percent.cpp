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

bool append_percent_decoded(std::string& out, std::string_view text) {
    for (;;) {
        const std::size_t percent = text.find('%');
        out += text.substr(0, percent);
        if (percent == std::string_view::npos) return true;
        text.remove_prefix(percent + 1);
        const std::string_view digits = text.substr(0, 2);
        if (digits.size() < 2 || !detail::all_of(digits, detail::hex_digit)) return false;
        out += static_cast<char>(detail::hex_value(digits[0]) << 4 | detail::hex_value(digits[1]));
        text.remove_prefix(2);
    }
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    if (!append_percent_decoded(out, text)) return std::nullopt;
    return out;
}

std::string percent_encode(std::string_view text) { return encode(text, false); }
std::string percent_encode_path(std::string_view path) { return encode(path, true); }

}  // namespace ringlet::http
