// SPDX-License-Identifier: MIT
// Catch2 v2.13 (Debian 12) and v3 (elsewhere) behind one include.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;  // a global name in v2
#else
#include <catch2/catch.hpp>

namespace ringlet_tests {
/// Notes that the running test case was skipped; main() turns "all were skipped" into exit status 77.
void note_skip() noexcept;
}  // namespace ringlet_tests

/// Leaves a test case because the machine cannot run it, and says why. (v3 has it; here it is good outside coroutines.)
#define SKIP(reason)                   \
    do {                               \
        ringlet_tests::note_skip();    \
        WARN("skipped: " << (reason)); \
        return;                        \
    } while (false)
#endif
