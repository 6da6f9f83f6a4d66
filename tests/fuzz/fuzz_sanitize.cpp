// SPDX-License-Identifier: MIT
// Chat text, names and log fields: whatever comes in, what goes to the terminal is harmless.
#include "common/sanitize.hpp"
#include "common/utf8.hpp"
#include "common/width.hpp"
#include "fuzz.hpp"

#include <string>

namespace {

bool harmless(std::string_view text, apps::text_context context) {
    while (!text.empty()) {
        const auto step = apps::decode_utf8(text);
        const char32_t c = step.value;
        if (!step.valid || c < 0x20 || (c >= 0x7f && c <= 0x9f)) return false;
        if (c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
            return false;
        if (context == apps::text_context::log && c == '"') return false;
        text.remove_prefix(step.bytes);
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using apps::text_context;
    const auto raw = fuzz::text_of(data, size);
    for (const auto context : {text_context::field, text_context::text, text_context::log}) {
        fuzz::require(harmless(apps::sanitize(raw, context), context), "nothing that a terminal obeys");
        const std::size_t cells = size % 40;
        const auto cut = apps::sanitize(raw, context, cells);
        fuzz::require(apps::cells_of(cut) <= cells, "no wider than asked");
        fuzz::require(harmless(cut, context), "cut between characters");
    }
    fuzz::require(apps::complete_utf8_prefix(raw) + 3 >= raw.size(), "at most 3 bytes are held back");
    return 0;
}
