// SPDX-License-Identifier: MIT
#include "json.hpp"

#include "sanitize.hpp"
#include "utf8.hpp"

#include <fmt/format.h>

#include <iterator>

namespace apps {

std::string json_string(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const utf8_step step = decode_utf8(text);
        if (step.value == '"' || step.value == '\\') {
            out += '\\';
            out += static_cast<char>(step.value);
        } else if (step.value < 0x20 || (step.value >= 0x7f && step.value < 0xa0) || is_unseen(step.value)) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(step.value));
        } else {
            append_utf8(out, step.value);
        }
        text.remove_prefix(step.bytes);
    }
    return out + '"';
}

}  // namespace apps
