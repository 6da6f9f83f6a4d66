// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string_view>

namespace apps {

/// What the command line says: --color=auto|always|never, --no-color (never).
enum class colour_choice { automatic, always, never };

[[nodiscard]] std::optional<colour_choice> parse_colour_choice(std::string_view text) noexcept;

/// Looks up an environment variable; nullptr when it is not set. std::getenv fits.
using environment = std::function<const char*(const char*)>;

/// Whether to colour what goes to one stream. A flag decides; else NO_COLOR set and not empty forbids, then
/// FORCE_COLOR or CLICOLOR_FORCE set and neither empty nor "0" asks for it, then it is on for a terminal unless TERM is
/// "dumb" or missing. Ask for stdout and stderr apart.
[[nodiscard]] bool use_colour(colour_choice choice, bool is_terminal, const environment& env);
[[nodiscard]] bool use_colour(colour_choice choice, int fd);

}  // namespace apps
