// SPDX-License-Identifier: MIT
#pragma once

#include "fetch/failure.hpp"
#include <ringlet/http/message.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace fetch {

/// The longest wait between two tries that is not asked for by the server.
inline constexpr std::chrono::seconds retry_wait_max{10};
/// A server that asks for a longer one is taken at its word: the download fails.
inline constexpr std::chrono::minutes retry_after_max{5};

/// Whether the same request may be answered otherwise a little later: 408, 429, 500, 502, 503, 504, 522, 524.
[[nodiscard]] bool may_pass(ringlet::http::status status) noexcept;

/// What Retry-After asks for (RFC 9110 section 10.2.3): seconds or a date; nullopt without one, or for one that is neither.
[[nodiscard]] std::optional<std::chrono::nanoseconds> retry_after(const ringlet::http::response_head& head) noexcept;

/// How long to wait after `tries` tries, of which the last failed for `why`: what the server asks for, else `first`, doubled
/// after each further try up to retry_wait_max, give or take a fifth, so that many who failed together do not come back
/// together. `chance` is any number.
[[nodiscard]] std::chrono::nanoseconds wait_before_retry(unsigned tries, std::chrono::nanoseconds first,
                                                         const failure& why, std::uint64_t chance) noexcept;

}  // namespace fetch
