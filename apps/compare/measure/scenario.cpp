// SPDX-License-Identifier: MIT
#include "compare/measure/scenario.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace comparison {
namespace {

using namespace std::chrono_literals;

const std::array all{
    scenario{.name = "silent",
             .title = "One client connects and says nothing for a second; 0.1 s later another one asks",
             .question = "How long does the second one wait for its page?",
             .levels = {1},
             .more_levels = {1},
             .is_silent = true},
    scenario{.name = "keepalive",
             .title = "{} clients with a connection each, which ask again as soon as they are answered (1 KiB)",
             .question = "How much can it do, and what does a request cost?",
             .levels = {64},
             .more_levels = {1, 10, 64, 100, 1000, 10'000},
             .counted = 800ms},
    scenario{.name = "slow",
             .title = "{} clients ask for a page whose handler waits for 50 ms, as for a database",
             .question = "Who works while somebody waits?",
             .levels = {32},
             .more_levels = {32},
             .path = "/slow",
             .counted = 700ms,
             .needs_our_pages = true},
    scenario{.name = "short",
             .title = "{} clients that make a connection for each request (1 KiB)",
             .question = "What does a connection cost?",
             .levels = {},
             .more_levels = {1, 10, 100, 1000},
             .keeps_connections = false,
             .counted = 800ms},
    scenario{.name = "open",
             .title = "{} clients on a connection each, 2,000 requests a second in all, sent at set times (1 KiB)",
             .question = "How long does a request take when there is time enough?",
             .levels = {},
             .more_levels = {64},
             .rate = 2000,
             .counted = 1s},
    scenario{
        .name = "idle",
        .title = "{} connections that were answered once and say nothing more; 10 others send 1,000 requests a second",
        .question = "What do those who are only there cost the others?",
        .levels = {},
        .more_levels = {1000},
        .rate = 1000,
        .counted = 1s,
        .others = presence::idle,
        .askers = 10},
    scenario{.name = "readers",
             .title = "{} clients that take 1 MiB slowly; 10 others send 1,000 requests a second",
             .question = "Do those who read slowly hold up the others?",
             .levels = {},
             .more_levels = {100},
             .rate = 1000,
             .counted = 1s,
             .others = presence::slow_readers,
             .askers = 10},
};

}  // namespace

std::span<const scenario> scenarios() noexcept { return all; }

const scenario* find_scenario(std::string_view name) noexcept {
    const auto found = std::ranges::find(all, name, &scenario::name);
    return found == all.end() ? nullptr : &*found;
}

}  // namespace comparison
