// SPDX-License-Identifier: MIT
#include "fetch/retry.hpp"

#include "common/numbers.hpp"
#include <ringlet/http/date.hpp>
#include <ringlet/io/system_calls.hpp>

#include <algorithm>

namespace fetch {

namespace http = ringlet::http;
using std::chrono::nanoseconds;

bool may_pass(http::status status) noexcept {
    switch (to_number(status)) {
        case 408:
        case 429:
        case 500:
        case 502:
        case 503:
        case 504:
        case 522:
        case 524:
            return true;
        default:
            return false;
    }
}

std::optional<nanoseconds> retry_after(const http::response_head& head) noexcept {
    using std::chrono::seconds;
    constexpr std::uint64_t seconds_max = 1'000'000'000;
    const auto text = head.fields.get("Retry-After");
    if (!text) return std::nullopt;
    if (!text->empty() &&
        text->find_first_not_of("0123456789") == text->npos)  // one that does not fit is as good as long
        return seconds{std::min(apps::parse_whole(*text).value_or(seconds_max), seconds_max)};
    const auto date = http::parse_date(*text);
    if (!date) return std::nullopt;
    const std::chrono::sys_seconds now{seconds{ringlet::io::sys::time()}};
    return std::clamp(*date - now, seconds{0}, seconds{seconds_max});
}

nanoseconds wait_before_retry(unsigned tries, nanoseconds first, const failure& why, std::uint64_t chance) noexcept {
    if (why.retry_after()) return *why.retry_after();
    const nanoseconds most = std::max<nanoseconds>(first, retry_wait_max);
    nanoseconds wait = first;
    for (unsigned i = 1; i < tries && wait < most; ++i) wait *= 2;
    wait = std::min(wait, most);
    // A multiplier of 2^64 over the golden ratio spreads numbers that are near each other.
    const auto percent = static_cast<std::int64_t>((chance * 0x9e3779b97f4a7c15) >> 32) % 41 - 20;  // -20 to 20
    return wait + wait / 100 * percent;
}

}  // namespace fetch
