// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ringlet::http {

/// Replaces every %XX by its byte, once (RFC 3986 section 2.1); nullopt when a percent sign is not followed by two
/// hexadecimal digits. "%252e" gives "%2e", and '+' stays '+'.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);
/// The same behind what `out` holds; false: `text` is malformed, and `out` has what was sound before.
[[nodiscard]] bool append_percent_decoded(std::string& out, std::string_view text);

/// Encodes one path segment or file name, so that it is safe in a URL and in an href: everything but the unreserved
/// characters of RFC 3986 section 2.3 becomes %XX.
[[nodiscard]] std::string percent_encode(std::string_view text);

/// The same, but '/' stays: for a path of several segments.
[[nodiscard]] std::string percent_encode_path(std::string_view path);

}  // namespace ringlet::http
