// SPDX-License-Identifier: MIT
#include "chat/commands.hpp"

#include <algorithm>

namespace chat {

command parse_command(std::string_view line) noexcept {
    using enum command::kind;
    if (!line.starts_with('/')) return {message, line};
    if (line.starts_with("//")) return {message, line.substr(1)};
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view word = line.substr(1, end - 1);
    std::string_view rest = line.substr(end);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    rest = rest.substr(0, rest.find_last_not_of(" \t") + 1);
    if (word == "nick") return {nick, rest};
    if (!rest.empty()) return {unknown, line};
    if (word == "quit") return {quit, {}};
    if (word == "help") return {help, {}};
    if (word == "who") return {who, {}};
    return {unknown, line};
}

}  // namespace chat
