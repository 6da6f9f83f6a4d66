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
// All of them, though the others come down to the first: those of AddressSanitizer do not.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    try {
        return operator new(bytes);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t& quiet) noexcept { return operator new(bytes, quiet); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
// NOLINTEND(misc-definitions-in-headers)
