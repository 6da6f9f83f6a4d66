// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <system_error>

namespace apps {

/// What errno says.
[[nodiscard]] inline std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

/// Descriptors or memory: it may pass, and is nobody's fault but this machine's.
[[nodiscard]] inline bool is_shortage(const std::error_code& error) noexcept {
    return error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system ||
           error == std::errc::not_enough_memory || error == std::errc::no_buffer_space;
}

}  // namespace apps
