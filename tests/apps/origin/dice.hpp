// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

/// What a seed decides, one question after the other. The numbers are those of splitmix64.
class dice {
public:
    explicit dice(std::uint64_t seed) noexcept : state_{seed} {}

    /// One of 0 to end - 1.
    std::uint64_t below(std::uint64_t end) noexcept {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return (z ^ (z >> 31)) % end;
    }
    bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }

private:
    std::uint64_t state_;
};
