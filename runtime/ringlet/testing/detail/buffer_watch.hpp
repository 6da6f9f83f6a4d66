// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ringlet::testing::detail {

/// Memory that a request borrows. What the kernel writes to is poisoned under AddressSanitizer until the last CQE, so that
/// who touches it is named on the spot; in every build the memory is compared with what it was.
class buffer_watch {
public:
    void writable(std::span<std::byte> memory);
    void readable(std::span<const std::byte> memory);
    void clear() noexcept { all_.clear(); }

    /// Around what the simulated kernel itself does to it. Result: whether it is as it was left; else the kernel must not
    /// touch it, for it may have been freed.
    bool begin_access() noexcept;
    void end_access() noexcept;
    /// At the last CQE: the memory is the program's again. Result: whether nobody has changed it.
    bool release() noexcept;

private:
    struct borrowed {
        std::byte* memory;
        std::size_t bytes;
        std::uint64_t print;
        bool writable;
    };
    static std::uint64_t fingerprint(const borrowed& b) noexcept;
    static bool is_as_it_was(const borrowed& b) noexcept;

    std::vector<borrowed> all_;
};

void poison(const void* memory, std::size_t bytes) noexcept;
void unpoison(const void* memory, std::size_t bytes) noexcept;

}  // namespace ringlet::testing::detail
