// SPDX-License-Identifier: MIT
#include "common/numbers.hpp"

#include "catch.hpp"

#include <limits>

using namespace std::chrono_literals;
using namespace apps;

TEST_CASE("sizes are read as people write them", "[numbers]") {
    CHECK(parse_size("0") == 0U);
    CHECK(parse_size("1500") == 1500U);
    CHECK(parse_size("1500B") == 1500U);
    CHECK(parse_size("64k") == 65536U);
    CHECK(parse_size("64K") == 65536U);
    CHECK(parse_size("1.5M") == 1572864U);
    CHECK(parse_size("2GiB") == 2147483648U);
    CHECK(parse_size("1TB") == 1099511627776U);
    CHECK(parse_size("18446744073709551615") == 18446744073709551615ULL);
    CHECK(parse_size(".5k") == 512U);
    for (const char* bad : {"", "k", ".", "-1", "+1", "1.2.3", "1,5M", "1 k", "1x", "1kk", "1e3", "0x10", "inf", "nan",
                            "1m", "18446744073709551616", "99999999999999P", "16777216T", "1kiB "})
        CHECK_FALSE(parse_size(bad));
}

TEST_CASE("sizes are written with one decimal", "[numbers]") {
    CHECK(format_size(0) == "0B");
    CHECK(format_size(1023) == "1023B");
    CHECK(format_size(1024) == "1.0KiB");
    CHECK(format_size(1536) == "1.5KiB");
    CHECK(format_size(1024 * 1024 - 1) == "1.0MiB");
    CHECK(format_size(290ULL * 1024 * 1024) == "290.0MiB");
    CHECK(format_size(std::numeric_limits<std::uint64_t>::max()) == "16.0EiB");
    CHECK(format_rate(14.2 * 1024 * 1024) == "14.2MiB/s");
    CHECK(format_rate(-1) == "0B/s");
    CHECK(format_rate(std::numeric_limits<double>::quiet_NaN()) == "0B/s");
    CHECK(format_rate(std::numeric_limits<double>::infinity()) == "0B/s");
}

TEST_CASE("durations are read with or without a unit", "[numbers]") {
    CHECK(parse_duration("3") == 3s);
    CHECK(parse_duration("0.5") == 500ms);
    CHECK(parse_duration("200ms") == 200ms);
    CHECK(parse_duration("1.5s") == 1500ms);
    CHECK(parse_duration("5m") == 5min);
    CHECK(parse_duration("2h") == 2h);
    for (const char* bad : {"", "s", "-1", "+1", "1,5", "1 s", "1d", "1sec", "1e3", "inf", "99999999h"})
        CHECK_FALSE(parse_duration(bad));
}

TEST_CASE("durations are written short", "[numbers]") {
    CHECK(format_duration(-5s) == "0ms");
    CHECK(format_duration(850ms) == "850ms");
    CHECK(format_duration(12s) == "12s");
    CHECK(format_duration(4min + 51s) == "4m51s");
    CHECK(format_duration(1h + 2min + 3s) == "1h02m");
    CHECK(format_duration(76h) == "3d04h");
}

TEST_CASE("the rate is that of the last seconds", "[numbers]") {
    rate_window rate{5s};
    CHECK(rate.per_second(0s) == 0);
    rate.add(0s, 0);
    CHECK(rate.per_second(1s) == 0);
    for (int i = 1; i <= 20; ++i)
        rate.add(std::chrono::seconds{i}, static_cast<std::uint64_t>(i < 11 ? i * 1000 : 10'000 + (i - 10) * 10));
    CHECK(rate.per_second(20s) == Approx(10));
    CHECK(rate.eta(20s, 100) == 10s);
    CHECK(rate.eta(20s, 0) == 0s);
    CHECK(rate.per_second(60s) == 0);
    CHECK_FALSE(rate.eta(60s, 100));
}

TEST_CASE("a retry starts the rate anew instead of making it negative", "[numbers]") {
    rate_window rate{5s};
    rate.add(0s, 0);
    rate.add(1s, 5000);
    rate.add(2s, 100);
    CHECK(rate.per_second(2s) == 0);
    rate.add(3s, 200);
    CHECK(rate.per_second(3s) == Approx(100));
    rate_window often{5s};
    for (int i = 0; i < 100'000; ++i) often.add(std::chrono::milliseconds{i}, static_cast<std::uint64_t>(i));
    CHECK(often.per_second(100s) == Approx(1000).epsilon(0.05));
}
