// SPDX-License-Identifier: MIT
#include "fetch/names.hpp"

#include "common/sanitize.hpp"
#include "common/utf8.hpp"
#include <ringlet/http/percent.hpp>

#include <algorithm>

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
    if (name.ends_with(part_suffix)) name += '_';
    return name;
}

std::string name_from_segment(std::string_view segment) {
    // A percent sign that is not followed by two digits stands for itself; then nothing is decoded.
    const auto decoded = ringlet::http::percent_decode(segment);
    std::string name = safe_name(decoded ? *decoded : segment);
    return name.empty() ? "index.html" : name;
}

std::string numbered(const std::string& name, unsigned number) {
    return number == 0 ? name : name + "." + std::to_string(number);
}

}  // namespace fetch
