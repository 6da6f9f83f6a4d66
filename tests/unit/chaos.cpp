// SPDX-License-Identifier: MIT
// RINGLET_CHAOS=SEED: every loop of the test program that has an engine of the real kernel has chaos before it.
#include <ringlet/testing/chaos_engine.hpp>

#include <cstdlib>
#include <memory>
#include <utility>

namespace {

std::uint64_t next_seed = 0;

std::unique_ptr<ringlet::io::engine> with_chaos(std::unique_ptr<ringlet::io::engine> real) {
    return std::make_unique<ringlet::testing::chaos_engine>(std::move(real), next_seed++);
}

const bool wanted = [] {
    const char* const seed = std::getenv("RINGLET_CHAOS");
    if (seed == nullptr) return false;
    next_seed = std::strtoull(seed, nullptr, 10) * 1'000'000;
    ringlet::io::detail::decorate_engine = &with_chaos;
    return true;
}();

}  // namespace
