// SPDX-License-Identifier: MIT
#pragma once

#include "common/exit_codes.hpp"
#include "common/system_error.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace xfer {

using apps::last_error;

/// Why a file was not fetched. Each reason has its exit code and its word.
enum class reason : std::uint8_t {
    other,
    usage,
    shortage,  ///< of memory or descriptors
    file,
    dns,
    connect,  ///< no connection, or one that broke before anything was announced
    timeout,
    truncated,
    protocol,
    refused,
    changed,
    checksum,
};

[[nodiscard]] apps::exit_code code_of(reason why) noexcept;
/// The stable word of --json.
[[nodiscard]] std::string_view word_of(reason why) noexcept;

/// `what()` may hold text of the server's, so it is sanitized when it is printed.
class failure : public std::runtime_error {
public:
    failure(reason why, const std::string& what) : runtime_error{what}, why_{why} {}
    [[nodiscard]] reason why() const noexcept { return why_; }

private:
    reason why_;
};

/// A file or the disk, with the system's words.
[[nodiscard]] failure file_failure(std::string_view doing, std::string_view name, const std::error_code& error);
/// The failure that an exception stands for. To be called in a catch block; rethrows what is no std::exception.
[[nodiscard]] failure current_failure();

}  // namespace xfer
