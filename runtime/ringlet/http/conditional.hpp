// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/message.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace ringlet::http {

/// What tells one state of a representation from another (RFC 9110 section 8.8).
struct validators {
    std::string etag;  ///< as it is sent: "\"x\"" or, weak, "W/\"x\""; empty: none
    std::optional<std::chrono::sys_seconds> last_modified;
};

enum class precondition : std::uint8_t {
    passed,        ///< answer as if there were no condition
    not_modified,  ///< 304
    failed,        ///< 412
};

/// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC 9110 section 13.2.2,
/// for a representation that exists and would be answered with 200. A date that is none is ignored; a list of entity tags
/// that is malformed matches nothing.
[[nodiscard]] precondition evaluate_preconditions(const request_head& request, const validators& current);

/// A part of a representation of known size, or all of it, or none.
struct selected_range {
    enum class kind : std::uint8_t { whole, part, unsatisfiable };
    kind what = kind::whole;
    std::uint64_t first = 0;  ///< with `part`
    std::uint64_t bytes = 0;  ///< with `part`, at least 1
};

/// What Range and If-Range select (RFC 9110 section 14) of a representation of `size` bytes. To be asked after the
/// preconditions have passed.
///
/// Whole: another method than GET, no Range, a malformed one or one of another unit, If-Range that does not match, and
/// more than one range that can be satisfied. `now` decides whether Last-Modified is strong enough for If-Range.
[[nodiscard]] selected_range select_range(const request_head& request, const validators& current, std::uint64_t size,
                                          std::chrono::sys_seconds now);

/// The value of Content-Range for a 206 and for a 416.
[[nodiscard]] std::string content_range(const selected_range& range, std::uint64_t size);

/// What a Content-Range says (RFC 9110 section 14.4).
struct content_range_value {
    std::uint64_t first = 0;            ///< of a 206
    std::uint64_t bytes = 0;            ///< of a 206, at least 1; 0 with a 416, which names the size alone
    std::optional<std::uint64_t> size;  ///< of the whole; nullopt: "*"
};

/// Reads a Content-Range in bytes. nullopt for another unit, and for what contradicts itself: a last byte before the first
/// or beyond the size, no size where there is no range.
[[nodiscard]] std::optional<content_range_value> parse_content_range(std::string_view text) noexcept;

/// The validator to send as If-Range for what came with this response: a strong entity tag, or a Last-Modified that is
/// older than the response's Date (RFC 9110 sections 8.8.2.2 and 13.1.5). Empty when there is none.
[[nodiscard]] std::string_view strong_validator(const response_head& response) noexcept;

}  // namespace ringlet::http
