// SPDX-License-Identifier: MIT
#pragma once

#include "compare/options.hpp"
#include <ringlet/core/task.hpp>

namespace comparison {

/// `ringlet-compare load URL`: asks a server at loopback and prints what it did. Result: the exit status, 1 when an answer
/// was wrong or missing. Errors: std::exception for a URL that is none, or not at loopback, or gives no page.
ringlet::task<int> run_load(const load_options& how);

}  // namespace comparison
