// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

namespace apps {

/// Whether a disk keeps up. While it does, copying into the system's cache takes less than waking a thread of the kernel, so
/// writes are made at once; for a while after one that took `patience` they are to be left to the ring. See
/// docs/decisions/disk.md.
class disk_pace {
public:
    explicit disk_pace(std::chrono::nanoseconds patience) noexcept : patience_{patience} {}

    /// Whether the disk has let everybody wait lately.
    [[nodiscard]] bool is_slow() const noexcept { return ringlet::clock::now() < slow_until_; }
    /// Something that everybody had to wait for began then and has ended.
    void note(ringlet::deadline began) noexcept;
    /// pwrite(2) of all of it. `offset` is moved behind what was written, also where the rest was not.
    std::error_code write_at_once(ringlet::io::fd_ref into, std::span<const std::byte> bytes,
                                  std::uint64_t& offset) noexcept;

private:
    std::chrono::nanoseconds patience_;
    ringlet::deadline slow_until_{};
};

}  // namespace apps
