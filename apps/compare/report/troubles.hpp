// SPDX-License-Identifier: MIT
#pragma once

#include "compare/results.hpp"

#include <string>

namespace comparison {

/// "not run: why", or of all runs "served 1 of 64 connections; 12 errors: 10 timed out, 2 reset"; empty when everything was
/// answered. Not sanitized: `why_not` may come from outside.
[[nodiscard]] std::string troubles_of(const row& one);

}  // namespace comparison
