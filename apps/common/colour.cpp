// SPDX-License-Identifier: MIT
#include "colour.hpp"

#include <ringlet/io/system_calls.hpp>

#include <cstdlib>

#include <unistd.h>

namespace apps {

namespace sys = ringlet::io::sys;

std::optional<colour_choice> parse_colour_choice(std::string_view text) noexcept {
    if (text == "auto") return colour_choice::automatic;
    if (text == "always") return colour_choice::always;
    if (text == "never") return colour_choice::never;
    return std::nullopt;
}

bool use_colour(colour_choice choice, bool is_terminal, const environment& env) {
    if (choice != colour_choice::automatic) return choice == colour_choice::always;
    const auto value = [&env](const char* name) {
        const char* text = env(name);
        return std::string_view{text == nullptr ? "" : text};
    };
    const auto forced = [&](const char* name) { return !value(name).empty() && value(name) != "0"; };
    if (!value("NO_COLOR").empty()) return false;
    if (forced("FORCE_COLOR") || forced("CLICOLOR_FORCE")) return true;
    return is_terminal && !value("TERM").empty() && value("TERM") != "dumb";
}

bool use_colour(colour_choice choice, int fd) {
    return use_colour(choice, sys::isatty(fd) == 1, [](const char* name) -> const char* { return std::getenv(name); });
}

}  // namespace apps
