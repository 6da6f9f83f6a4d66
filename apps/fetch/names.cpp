// SPDX-License-Identifier: MIT
#include "fetch/names.hpp"

#include "common/sanitize.hpp"
#include "common/utf8.hpp"
#include <ringlet/http/percent.hpp>

#include <algorithm>
#include <optional>

namespace fetch {
namespace {

constexpr std::size_t extension_bytes_max = 16;

// `before` and `rest` are what stands around it.
bool allowed(const apps::utf8_step& step, char32_t before, std::string_view rest) noexcept {
    if (step.value == apps::zero_width_joiner) return apps::joins_emoji(before, rest);
    if (apps::is_unseen(step.value)) return false;
    if (!step.valid || step.value < 0x20 || (step.value >= 0x7f && step.value < 0xa0)) return false;
    return step.value != U'/' && step.value != U'\\';
}

// The first bytes of `text`, at most `bytes_max`, whole characters.
std::string_view first_bytes(std::string_view text, std::size_t bytes_max) noexcept {
    text = text.substr(0, bytes_max);
    return text.substr(0, apps::complete_utf8_prefix(text));
}

std::string bounded(const std::string& name) {
    if (name.size() <= name_bytes_max) return name;
    const std::size_t dot = name.rfind('.');
    std::string extension;
    if (dot != std::string::npos && dot > 0 && name.size() - dot <= extension_bytes_max) extension = name.substr(dot);
    return std::string{first_bytes(name, name_bytes_max - extension.size())} + extension;
}

struct parameter {
    std::string_view name;
    std::string value;  // without quotes
};

constexpr std::string_view blanks = " \t";

void skip_blanks(std::string_view& text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

// Takes a quoted-string (RFC 9110 section 5.6.4) off the front; what has no end ends with the text.
std::string take_quoted(std::string_view& text) {
    std::string value;
    text.remove_prefix(1);
    while (!text.empty() && text.front() != '"') {
        if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
        value += text.front();
        text.remove_prefix(1);
    }
    if (!text.empty()) text.remove_prefix(1);
    return value;
}

// The next "; name=value" of a field.
std::optional<parameter> take_parameter(std::string_view& text) {
    const std::size_t semicolon = text.find(';');
    if (semicolon == text.npos) return std::nullopt;
    text.remove_prefix(semicolon + 1);
    skip_blanks(text);
    parameter found;
    found.name = text.substr(0, text.find_first_of("=; \t"));
    text.remove_prefix(found.name.size());
    skip_blanks(text);
    if (!text.starts_with('=')) return found;
    text.remove_prefix(1);
    skip_blanks(text);
    if (text.starts_with('"')) {
        found.value = take_quoted(text);
        return found;
    }
    const std::string_view value = text.substr(0, text.find_first_of("; \t"));
    text.remove_prefix(value.size());
    found.value = value;
    return found;
}

bool same_name(std::string_view a, std::string_view b) noexcept {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

// RFC 8187: charset'language'percent-encoded. UTF-8 only, as it demands; empty for anything else.
std::string extended_value(std::string_view text) {
    const std::size_t first = text.find('\'');
    const std::size_t second = first == text.npos ? first : text.find('\'', first + 1);
    if (second == text.npos || !same_name(text.substr(0, first), "utf-8")) return {};
    return ringlet::http::percent_decode(text.substr(second + 1)).value_or("");
}

}  // namespace

std::string safe_name(std::string_view text) {
    std::string name;
    char32_t before = 0;
    while (!text.empty()) {
        const apps::utf8_step step = apps::decode_utf8(text);
        const std::string_view rest = text.substr(step.bytes);
        if (allowed(step, before, rest))
            name += text.substr(0, step.bytes);
        else
            name += '_';
        before = step.value;
        text = rest;
    }
    name.erase(0, std::min(name.find_first_not_of('.'), name.size()));
    name = bounded(name);
    if (name.ends_with(part_suffix) || name.ends_with(state_suffix) || name.ends_with(new_state_suffix)) name += '_';
    return name;
}

std::string name_from_segment(std::string_view segment) {
    // A percent sign that is not followed by two digits stands for itself; then nothing is decoded.
    const auto decoded = ringlet::http::percent_decode(segment);
    std::string name = safe_name(decoded ? *decoded : segment);
    return name.empty() ? "index.html" : name;
}

std::string name_from_disposition(std::string_view field) {
    std::string plain;
    std::string extended;
    for (;;) {
        const std::optional<parameter> next = take_parameter(field);
        if (!next) break;
        if (same_name(next->name, "filename") && plain.empty()) plain = next->value;
        if (same_name(next->name, "filename*") && extended.empty()) extended = extended_value(next->value);
    }
    std::string_view name = extended.empty() ? plain : extended;
    const std::size_t slash = name.find_last_of("/\\");
    if (slash != name.npos) name.remove_prefix(slash + 1);
    return safe_name(name);
}

std::string numbered(const std::string& name, unsigned number) {
    return number == 0 ? name : name + "." + std::to_string(number);
}

}  // namespace fetch
