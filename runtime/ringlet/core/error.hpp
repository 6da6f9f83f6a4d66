// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace ringlet {

namespace detail {

/// "the time limit has passed". Equal to std::errc::timed_out, whose own words speak of a connection.
std::error_code time_limit_code() noexcept;

class expiry;
std::shared_ptr<expiry> expiry_behind(const std::exception_ptr&) noexcept;
}  // namespace detail

/// Unwinds a cancelled task. Deliberately not a std::exception, so that an application's
/// `catch (const std::exception&)` cannot swallow a cancellation; see docs/decisions/cancellation.md.
class cancelled final {
public:
    /// Belongs to the cancellation that is due in the job that runs, if one is; so who notices it by himself may throw it, too.
    cancelled() noexcept;

private:
    friend std::shared_ptr<detail::expiry> detail::expiry_behind(const std::exception_ptr&) noexcept;
    std::shared_ptr<detail::expiry> cause_;  // the timeout_scope whose time was up
};

/// A time limit ran out. Thrown by the `with_timeout` whose limit it was, never by an inner or outer one. Its code is
/// equal to std::errc::timed_out.
class timeout_error : public std::system_error {
public:
    explicit timeout_error(const std::string& what) : system_error{detail::time_limit_code()}, text_{what} {}
    const char* what() const noexcept override { return text_.what(); }

private:
    std::runtime_error text_;  // a string that can be copied without throwing
};

/// The command line was wrong: `run_main` prints the message, points to --help and exits with status 2.
class usage_error : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

/// No job can ever run again: nothing is ready, no timer is armed, no operation is in flight.
class deadlock_error : public std::logic_error {
public:
    using logic_error::logic_error;
};

namespace detail {

/// The error_code that stands for "cancelled" inside the library. It never leaves it: the outermost awaiter throws.
std::error_code cancelled_code() noexcept;
inline bool is_cancelled(const std::error_code& code) noexcept { return code == cancelled_code(); }

/// True when `error` holds a `ringlet::cancelled`. Costs no rethrow.
bool is_cancelled(const std::exception_ptr& error) noexcept;

/// The exception itself: an exception_ptr is one pointer, to it (Itanium C++ ABI).
const void* address_of(const std::exception_ptr& error) noexcept;

/// What `error` says in words, for reports; "cancelled" for a cancellation.
std::string describe(const std::exception_ptr& error);

/// Reports a programmer error and aborts. The text says what to do instead.
[[noreturn]] void programmer_error(std::string_view text, std::source_location where) noexcept;

inline void require(bool condition, std::string_view text,
                    std::source_location where = std::source_location::current()) noexcept {
    if (!condition) [[unlikely]]
        programmer_error(text, where);
}

}  // namespace detail
}  // namespace ringlet
