// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace ringlet::testing::detail {

class world;

/// Which allocations of this thread fail. Asked by the frame pool and by the operator new of testing/failing_new.hpp.
struct allocation_faults {
    std::uint64_t seen = 0;
    std::uint64_t failing = 0;  ///< the one that fails, counted from 1; 0 for none
    world* seed = nullptr;      ///< decides about frames as well, where its plan says so
    bool armed = false;
    int paused = 0;  ///< the simulated kernel's own memory is no matter of the test

    /// Throws std::bad_alloc when this one is to fail.
    void allocation();
    void frame();
};
inline constinit thread_local allocation_faults this_thread_allocations{};

/// While it lives no allocation fails.
class no_allocation_faults {
public:
    no_allocation_faults() noexcept { ++this_thread_allocations.paused; }
    no_allocation_faults(const no_allocation_faults&) = delete;
    no_allocation_faults& operator=(const no_allocation_faults&) = delete;
    ~no_allocation_faults() { --this_thread_allocations.paused; }
};

}  // namespace ringlet::testing::detail
