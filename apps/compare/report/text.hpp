// SPDX-License-Identifier: MIT
#pragma once

#include "compare/results.hpp"

#include <cstddef>
#include <string>

namespace comparison {

/// Tables, a scenario and level each, then the findings. Columns that do not fit `width` cells are left out, those that
/// matter least first.
std::string to_text(const results& all, std::size_t width);

}  // namespace comparison
