// SPDX-License-Identifier: MIT
#include "disk_pace.hpp"

#include <ringlet/io/system_calls.hpp>

#include <cerrno>

#include <sys/types.h>

namespace apps {
namespace {

constexpr std::chrono::seconds slow_for{10};

}  // namespace

void disk_pace::note(ringlet::deadline began) noexcept {
    const ringlet::deadline now = ringlet::clock::now();
    if (now - began >= patience_) slow_until_ = now + slow_for;
}

std::error_code disk_pace::write_at_once(ringlet::io::fd_ref into, std::span<const std::byte> bytes,
                                         std::uint64_t& offset) noexcept {
    const ringlet::deadline began = ringlet::clock::now();
    while (!bytes.empty()) {
        const ssize_t count =
            ringlet::io::sys::pwrite(into.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return {errno, std::generic_category()};
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    note(began);
    return {};
}

}  // namespace apps
