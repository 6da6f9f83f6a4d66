// SPDX-License-Identifier: MIT
#pragma once

#include "compare/results.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace comparison {

/// Kernel, processor, limits, compiler: what another one must know who gets other figures. Thread: the loop's thread.
surroundings surroundings_here();
/// What makes them less than they could be, a sentence each: one processor only, no io_uring, an unoptimized build.
std::vector<std::string> remarks_here();
/// How many descriptors a process may have.
std::uint64_t files_max() noexcept;

}  // namespace comparison
