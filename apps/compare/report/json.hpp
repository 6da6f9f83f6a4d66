// SPDX-License-Identifier: MIT
#pragma once

#include "compare/results.hpp"

#include <string>

namespace comparison {

/// All of it as one JSON object on one line, without its end. Keys are stable and name their units; what is not known is null.
[[nodiscard]] std::string to_json(const results& all);

}  // namespace comparison
