// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/message.hpp>

#include <string_view>

namespace ringlet::http {

/// How much the client likes a content coding, 0 (not acceptable) to 1000 (RFC 9110 section 12.5.3). "identity", where the
/// client does not speak of it, is 1: always acceptable, and liked less than what was asked for. Without Accept-Encoding
/// nothing else is acceptable.
[[nodiscard]] unsigned accepted_quality(const request_head& request, std::string_view coding) noexcept;

}  // namespace ringlet::http
