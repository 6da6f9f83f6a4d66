// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace apps {

/// A JSON string with its quotes (RFC 8259 section 7), on one line and safe on a terminal: controls, C1 among them, are
/// escaped, and so is what is_unseen. An invalid byte of UTF-8 becomes U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace apps
