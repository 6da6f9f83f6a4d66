// SPDX-License-Identifier: MIT
#pragma once

#include "compare/catalogue.hpp"
#include "compare/programs.hpp"
#include <ringlet/net/endpoint.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace comparison {

enum class action : std::uint8_t { list, show, serve, program };

struct options {
    action what = action::list;
    const model* which = nullptr;  ///< for `show` and `serve`
    std::string root;              ///< empty: the pages of the comparison only
    ringlet::net::endpoint address = ringlet::net::endpoint::loopback_v4(8000);
    programs beside;  ///< what `program` runs
};

/// Result: nullopt when the program is to go on, else its exit status.
std::optional<int> parse_options(int argc, char** argv, options& into);

}  // namespace comparison
