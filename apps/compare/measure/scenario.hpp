// SPDX-License-Identifier: MIT
#pragma once

#include "compare/results.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace comparison {

/// Those who are only there: after their first answer they say nothing more, or they take 1 MiB after the other, slowly.
enum class presence : std::uint8_t { none, idle, slow_readers };

/// Something that clients do to a server.
struct scenario {
    std::string_view name;
    std::string_view title;     ///< {} is the level
    std::string_view question;  ///< one sentence
    std::vector<unsigned> levels;
    std::vector<unsigned> more_levels;  ///< of a full run; where `levels` is empty, it is part of full runs only
    std::string_view path = "/1k";
    bool keeps_connections = true;
    double rate = 0;                   ///< see load_plan
    nanoseconds counted{0};            ///< how long
    presence others = presence::none;  ///< then the level is how many they are, and `askers` connections ask meanwhile
    unsigned askers = 0;
    bool is_silent = false;  ///< one client says nothing, one asks
    bool needs_our_pages = false;
};

std::span<const scenario> scenarios() noexcept;
const scenario* find_scenario(std::string_view name) noexcept;

}  // namespace comparison
