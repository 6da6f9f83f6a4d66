// SPDX-License-Identifier: MIT
#include "common/json_line.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace bench {

void json_line::add_raw(std::string_view key, std::string_view value) {
    text_ += fmt::format("{}\"{}\": {}", text_.empty() ? "" : ", ", key, value);
}

json_line& json_line::add(std::string_view key, double value) {
    add_raw(key, fmt::format("{:.4f}", value));
    return *this;
}

json_line& json_line::add(std::string_view key, std::uint64_t value) {
    add_raw(key, fmt::format("{}", value));
    return *this;
}

json_line& json_line::add(std::string_view key, std::string_view value) {
    std::string quoted = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    add_raw(key, quoted + '"');
    return *this;
}

void json_line::print() {
    fmt::print("{{{}}}\n", text_);
    std::fflush(stdout);
}

}  // namespace bench
