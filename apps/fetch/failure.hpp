// SPDX-License-Identifier: MIT
#pragma once

#include "common/exit_codes.hpp"
#include "common/system_error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace fetch {

using apps::is_shortage;
using apps::last_error;

/// Why a URL was not fetched. Each reason has its exit code, see code_of.
enum class reason : std::uint8_t {
    other,
    shortage,  ///< of memory or descriptors
    file,
    dns,
    connect,  ///< no connection, or one that broke
    timeout,
    truncated,
    tls,
    certificate,
    login,
    protocol,
    redirects,
    status,
    size,  ///< more than --max-size
    checksum,
    reader_gone,
};

[[nodiscard]] apps::exit_code code_of(reason why) noexcept;

/// Why one URL was not fetched. `what()` is the text after the URL, "what: why"; it may hold text of the server's, so
/// it is sanitized when it is printed.
class failure : public std::runtime_error {
public:
    failure(reason why, const std::string& what) : runtime_error{what}, why_{why} {}

    [[nodiscard]] reason why() const noexcept { return why_; }
    [[nodiscard]] apps::exit_code code() const noexcept { return code_of(why_); }
    /// Of the server's answer, where that is the reason.
    [[nodiscard]] std::optional<unsigned> http_status() const noexcept { return http_status_; }
    /// The same may go well a little later.
    [[nodiscard]] bool may_pass() const noexcept { return may_pass_; }
    /// When the server wants to be asked again.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> retry_after() const noexcept { return retry_after_; }

    failure&& with_status(unsigned number) && noexcept {
        http_status_ = number;
        return std::move(*this);
    }
    failure&& that_may_pass(std::optional<std::chrono::nanoseconds> after = std::nullopt) && noexcept {
        may_pass_ = true;
        retry_after_ = after;
        return std::move(*this);
    }

private:
    reason why_;
    bool may_pass_ = false;
    std::optional<unsigned> http_status_;
    std::optional<std::chrono::nanoseconds> retry_after_;
};

/// What a connection's error says: of a TLS session the peer's or our own reason, too.
[[nodiscard]] std::string words_of(const std::system_error& error);

/// The server said something that HTTP does not allow, or that leads nowhere.
inline failure protocol_failure(const std::string& what) { return {reason::protocol, what}; }
/// A time limit; may pass.
inline failure timeout_failure(const std::string& what) { return failure{reason::timeout, what}.that_may_pass(); }
/// What a connection says, `why` if not something worse: a shortage in this machine. May pass.
failure connection_failure(const std::string& what, const std::error_code& error, reason why = reason::connect);
/// A file or the disk, with the system's words.
inline failure file_failure(std::string_view doing, std::string_view name, const std::error_code& error) {
    return {reason::file, std::string{doing} + " " + std::string{name} + ": " + error.message()};
}

/// The failure that an exception stands for. To be called in a catch block; rethrows what is no std::exception. Where there
/// is no memory for the words it is that there is none.
failure current_failure();

}  // namespace fetch
