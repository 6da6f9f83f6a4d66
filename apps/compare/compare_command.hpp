// SPDX-License-Identifier: MIT
#pragma once

#include "compare/options.hpp"
#include <ringlet/core/task.hpp>

namespace comparison {

/// `ringlet-compare` and `ringlet-compare run`. Result: the exit status. Errors: std::exception.
ringlet::task<int> run_comparison(const compare_options& how);

/// `ringlet-compare --explain`: what the figures mean, a line each.
void explain_columns();

}  // namespace comparison
