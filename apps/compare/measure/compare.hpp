// SPDX-License-Identifier: MIT
#pragma once

#include "compare/catalogue.hpp"
#include "compare/measure/scenario.hpp"
#include "compare/measure/server.hpp"
#include "compare/results.hpp"
#include <ringlet/core/task.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace comparison {

/// What is compared.
struct subject {
    server_facts facts;
    server_command command;
    bool has_our_pages = true;  ///< not /1k only
};
/// One of our models, as `ringlet-compare serve` runs it.
subject subject_of(const model& which);

struct comparison_plan {
    std::vector<subject> subjects;
    std::vector<const scenario*> scenarios;
    bool full = false;  ///< with all levels
    unsigned repetitions = 3;
    std::uint64_t seed = 1;  ///< of the order, which is another one in each repetition
};

/// Is told, before each run, which it is and how many of how many were done.
using progress =
    std::function<void(std::string_view scenario, std::string_view server, std::size_t done, std::size_t all)>;

/// Runs all servers in all scenarios. What fails is a result. Errors: `cancelled`; std::system_error from this side.
ringlet::task<results> compare(const comparison_plan& plan, const progress& tell);

}  // namespace comparison
