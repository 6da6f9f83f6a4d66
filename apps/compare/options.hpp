// SPDX-License-Identifier: MIT
#pragma once

#include "compare/catalogue.hpp"
#include "compare/programs.hpp"
#include <ringlet/net/endpoint.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace comparison {

enum class action : std::uint8_t { compare, list, show, explain, serve, load, program };

/// `ringlet-compare` itself, and `run`.
struct compare_options {
    std::vector<std::string> servers;    ///< names; empty: the course's six, in a full run all that there are
    std::vector<std::string> scenarios;  ///< names; empty: those of a short or of a full run
    bool full = false;
    bool json = false;
    std::string html;  ///< a file for the page; empty: none
    unsigned repetitions = 3;
    std::uint64_t seed = 1;
};

/// `load`
struct load_options {
    std::string url;
    unsigned connections = 64;
    std::string seconds = "3";
    double rate = 0;
    bool closes = false;
    bool json = false;
};

struct options {
    action what = action::compare;
    compare_options compare;
    load_options load;
    const model* which = nullptr;  ///< of `show` and `serve`
    std::string root;              ///< empty: the pages of the comparison only
    ringlet::net::endpoint address = ringlet::net::endpoint::loopback_v4(8000);
    programs beside;  ///< what `program` runs
};

/// Result: nullopt when the program is to go on, else its exit status.
std::optional<int> parse_options(int argc, char** argv, options& into);

}  // namespace comparison
