// SPDX-License-Identifier: MIT
#pragma once

// Include this in one source file of a test program: its operator new then asks the simulation of the thread whether the
// allocation fails, so that fail_everywhere reaches containers and strings as well as frames.

#include <ringlet/testing/detail/allocation.hpp>

#include <cstddef>
#include <cstdlib>
#include <new>

// NOLINTBEGIN(misc-definitions-in-headers)
void* operator new(std::size_t bytes) {
    ringlet::testing::detail::this_thread_allocations.allocation();
    if (void* memory = std::malloc(bytes != 0 ? bytes : 1)) return memory;
    throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND(misc-definitions-in-headers)
