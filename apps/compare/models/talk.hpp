// SPDX-License-Identifier: MIT
#pragma once

#include "compare/site.hpp"

namespace comparison {

/// One connection from its first request to its end, by calls that wait: of the models that can afford to wait. Closes it.
void talk(int client, const site& pages);

}  // namespace comparison
