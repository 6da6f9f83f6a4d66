// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chat {

/// What a line asks for.
struct command {
    enum class kind : std::uint8_t { message, quit, help, who, nick, unknown };

    kind what;
    std::string_view text;  ///< the message; the nick; what is unknown. Part of the line.
};

/// A line that begins with one slash is a command, with two a message that begins with one.
[[nodiscard]] command parse_command(std::string_view line) noexcept;

/// What /help says, line by line.
inline constexpr std::string_view command_help[] = {
    "/who          whom we talk to, and who else has written",
    "/nick [NAME]  the name before what we send; without NAME, what it is",
    "/quit         leaves, as Ctrl-D does",
    "//...         sends a line that begins with a slash",
};

}  // namespace chat
