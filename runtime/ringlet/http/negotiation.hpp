// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/message.hpp>

#include <string_view>

namespace ringlet::http {

/// How much the client likes a content coding, 0 (not acceptable) to 1000 (RFC 9110 section 12.5.3). Without
/// Accept-Encoding every coding but "identity" is 0: it was not asked for.
[[nodiscard]] unsigned accepted_quality(const request_head& request, std::string_view coding) noexcept;

}  // namespace ringlet::http
