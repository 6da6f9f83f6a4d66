// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

namespace ringlet::http {

/// IMF-fixdate of RFC 9110 section 5.6.7, "Sun, 06 Nov 1994 08:49:37 GMT": 29 characters, years 0 to 9999 (others are
/// clamped). The same in every locale.
[[nodiscard]] std::array<char, 29> format_date(std::chrono::sys_seconds when) noexcept;

/// Reads the three forms of RFC 9110 section 5.6.7: IMF-fixdate, RFC 850 and asctime. Anything else, a day that does
/// not exist or another zone than GMT is nullopt. The name of the weekday is not compared with the date.
///
/// `now` decides the century of an RFC 850 date: one more than 50 years ahead is taken for the past.
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_date(std::string_view text,
                                                                 std::chrono::sys_seconds now) noexcept;
/// The same with the system's clock.
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_date(std::string_view text) noexcept;

}  // namespace ringlet::http
