// SPDX-License-Identifier: MIT
#pragma once

#include "compare/results.hpp"

#include <string>

namespace comparison {

/// A whole page: it needs nothing from elsewhere, and no script. What comes from outside is made harmless.
[[nodiscard]] std::string to_html(const results& all);

}  // namespace comparison
