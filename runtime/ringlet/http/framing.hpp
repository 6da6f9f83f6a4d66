// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/checked.hpp>
#include <ringlet/http/message.hpp>
#include <ringlet/http/parser.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace ringlet::http {

/// How a body ends, and its length where the head tells.
struct body_plan {
    framing kind = framing::none;
    std::optional<std::uint64_t> bytes = 0;
    parse_error error{};  // error.reason is not empty when the head contradicts itself
};

/// The rules of RFC 9112 section 6.3 for a request; with an error where the length is in any doubt.
[[nodiscard]] body_plan plan_request_body(const request_head& head) noexcept;
/// The same for a response to `request_method`.
[[nodiscard]] body_plan plan_response_body(const response_head& head, method request_method) noexcept;

/// The number in Content-Length: digits only, below 2^64 (RFC 9110 section 8.6); nullopt when the field is absent. A
/// second field is refused even when it says the same.
[[nodiscard]] checked<std::optional<std::uint64_t>> content_length(const fields& f) noexcept;

/// Whether a Host field value is a host and an optional port (RFC 9110 section 7.2), and not empty.
[[nodiscard]] bool is_valid_host(std::string_view value) noexcept;
/// Empty when the Host fields of `head` are what its version asks for, else what is wrong (RFC 9112 section 3.2).
[[nodiscard]] std::string_view host_error(const request_head& head) noexcept;
/// Empty when the request-target has one of the four forms, the one that fits its method (RFC 9112 section 3.2).
[[nodiscard]] std::string_view target_error(const request_head& head) noexcept;

/// Whether the connection may outlive this message, by version and Connection field (RFC 9112 section 9.3).
[[nodiscard]] bool wants_keep_alive(version v, const fields& f) noexcept;

}  // namespace ringlet::http
