// SPDX-License-Identifier: MIT
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

namespace ringlet::detail {

std::string time_limit::describe_end() const {
    if (!relative_) return "deadline passed";
    std::string length;
    if (count_ % 1'000'000'000 == 0)
        length = fmt::format("{} s", count_ / 1'000'000'000);
    else if (count_ >= 1'000'000)
        length = fmt::format("{:.6g} ms", static_cast<double>(count_) / 1e6);
    else
        length = fmt::format("{:.6g} us", static_cast<double>(count_) / 1e3);
    return "time limit of " + length + " exceeded";
}

void raise_timeout(const std::string& what, const time_limit& limit, const std::source_location& where) {
    const std::string text = fmt::format("{} (set at {}:{})", limit.describe_end(), where.file_name(), where.line());
    throw timeout_error{what.empty() ? text : what + ": " + text};
}

}  // namespace ringlet::detail
