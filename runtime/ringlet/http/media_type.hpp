// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace ringlet::http {

/// The Content-Type for a file with this name, by its last extension and without regard to case; text types say
/// charset=utf-8. "application/octet-stream" when the extension is unknown or missing. Static storage.
[[nodiscard]] std::string_view media_type_for(std::string_view file_name) noexcept;

}  // namespace ringlet::http
