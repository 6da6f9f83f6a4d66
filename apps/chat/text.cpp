// SPDX-License-Identifier: MIT
#include "chat/text.hpp"

#include "common/sanitize.hpp"
#include "common/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chat {

std::vector<std::string_view> messages_of(std::string_view line) {
    std::vector<std::string_view> parts;
    while (!line.empty()) {
        auto part = line.substr(0, message_bytes_max);
        if (part.size() < line.size()) part = part.substr(0, apps::complete_utf8_prefix(part));
        parts.push_back(part);
        line.remove_prefix(part.size());
    }
    return parts;
}

std::vector<std::string> shown(std::string_view text, std::size_t full_bytes) {
    const bool cut = full_bytes > text.size();
    const std::size_t bytes = text.size();
    if (cut) text = text.substr(0, apps::complete_utf8_prefix(text));
    while (!cut && (text.ends_with('\n') || text.ends_with('\r'))) text.remove_suffix(1);
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin <= text.size();) {
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
