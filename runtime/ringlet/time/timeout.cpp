// SPDX-License-Identifier: MIT
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

namespace ringlet::detail {

std::string time_limit::describe() const {
    if (!relative_) return "at its deadline";
    if (count_ % 1'000'000'000 == 0) return fmt::format("after {} s", count_ / 1'000'000'000);
    if (count_ >= 1'000'000) return fmt::format("after {:.6g} ms", static_cast<double>(count_) / 1e6);
    return fmt::format("after {:.6g} us", static_cast<double>(count_) / 1e3);
}

void raise_timeout(std::string_view what, const time_limit& limit, const std::source_location& where) {
    std::string text{what};
    if (!text.empty()) text += ' ';
    text += fmt::format("{} (limit set at {}:{})", limit.describe(), where.file_name(), where.line());
    throw timeout_error{text};
}

}  // namespace ringlet::detail
