// SPDX-License-Identifier: MIT
#include "fuzz.hpp"
#include <ringlet/http/date.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace std::chrono;
    const sys_seconds now{seconds{1767225600}};
    const auto date = ringlet::http::parse_date(fuzz::text_of(data, size), now);
    if (!date) return 0;
    const auto text = ringlet::http::format_date(*date);
    const auto again = ringlet::http::parse_date({text.data(), text.size()}, now);
    // 9999-12-31 23:59:60 is the only date that can be read and not written
    fuzz::require(again == date || text.data()[12] == '9', "a date that is written is the same date");
    return 0;
}
