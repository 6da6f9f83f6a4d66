// SPDX-License-Identifier: MIT
#pragma once

#include "common/exit_codes.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace fetch {

/// Why one URL was not fetched. `what()` is the text after the URL, "what: why"; it may hold text of the server's, so
/// it is sanitized when it is printed.
class failure : public std::runtime_error {
public:
    failure(apps::exit_code code, const std::string& what) : runtime_error{what}, code_{code} {}
    [[nodiscard]] apps::exit_code code() const noexcept { return code_; }

private:
    apps::exit_code code_;
};

/// The network, or what stands for it: names, connections, time limits, truncation.
inline failure network_failure(const std::string& what) { return {apps::exit_code::network, what}; }
/// The server said something that HTTP does not allow, or that leads nowhere.
inline failure protocol_failure(const std::string& what) { return {apps::exit_code::protocol, what}; }
/// What a connection says: the network's fault, unless this machine is short of descriptors or memory.
failure connection_failure(const std::string& what, const std::error_code& why);
/// A file or the disk, with the system's words.
inline failure file_failure(std::string_view doing, std::string_view name, const std::error_code& why) {
    return {apps::exit_code::file, std::string{doing} + " " + std::string{name} + ": " + why.message()};
}

/// The failure that an exception stands for. To be called in a catch block; rethrows what is no std::exception. Where there
/// is no memory for the words it is that there is none.
failure current_failure();

}  // namespace fetch
