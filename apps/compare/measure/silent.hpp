// SPDX-License-Identifier: MIT
#pragma once

#include "compare/measure/run.hpp"

namespace comparison {

/// One client connects and says nothing for a second; 0.1 s later another one asks, and is waited for.
ringlet::task<outcome> one_is_silent(const server& at, const site& pages);

}  // namespace comparison
