// SPDX-License-Identifier: MIT
#pragma once

#include "compare/results.hpp"

#include <string>
#include <vector>

namespace comparison {

/// What a beginner should take home, a sentence for each scenario that was run: who makes others wait, who does most and
/// what a request costs, who works while somebody waits. Where the ranges of the runs overlap it says so.
std::vector<std::string> findings_in(const results& all);

}  // namespace comparison
