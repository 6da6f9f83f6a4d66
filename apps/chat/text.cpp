// SPDX-License-Identifier: MIT
#include "chat/text.hpp"

#include "common/sanitize.hpp"
#include "common/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chat {
namespace {

constexpr std::size_t lines_max = 50;

}  // namespace

std::vector<std::string_view> messages_of(std::string_view line, std::size_t bytes_max) {
    std::vector<std::string_view> parts;
    while (!line.empty()) {
        auto part = line.substr(0, bytes_max);
        if (part.size() < line.size()) part = part.substr(0, apps::complete_utf8_prefix(part));
        parts.push_back(part);
        line.remove_prefix(part.size());
    }
    return parts;
}

std::string clean_nick(std::string_view wanted) {
    constexpr std::size_t bytes_max = 64;
    constexpr std::size_t cells_max = 20;
    while (wanted.starts_with(' ')) wanted.remove_prefix(1);
    std::string nick = apps::sanitize(wanted, apps::text_context::field, cells_max);
    if (nick.size() > bytes_max) {  // marks upon marks
        nick.resize(bytes_max);
        nick.resize(apps::complete_utf8_prefix(nick));
    }
    while (nick.ends_with(' ')) nick.pop_back();
    return nick;
}

std::vector<std::string> shown(std::string_view text, std::size_t full_bytes) {
    const bool cut = full_bytes > text.size();
    const std::size_t bytes = text.size();
    if (cut) text = text.substr(0, apps::complete_utf8_prefix(text));
    while (!cut && (text.ends_with('\n') || text.ends_with('\r'))) text.remove_suffix(1);
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin <= text.size();) {
        if (lines.size() == lines_max) {  // one datagram is not to push all others off the screen
            const auto more = std::ranges::count(text.substr(begin), '\n') + 1;
            lines.push_back(fmt::format("[{} more line{}]", more, more == 1 ? "" : "s"));
            break;
        }
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        auto line = text.substr(begin, end - begin);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back(apps::sanitize(line, apps::text_context::text));
        begin = end + 1;
    }
    if (cut) lines.back() += fmt::format(" [cut: {} of {} bytes]", bytes, full_bytes);
    return lines;
}

}  // namespace chat
