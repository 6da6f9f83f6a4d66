// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace apps {

/// What stands in a page for `text`, also within an attribute's quotes. Text from outside goes through `sanitize` before.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace apps
