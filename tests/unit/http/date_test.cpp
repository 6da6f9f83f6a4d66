// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include <ringlet/http/date.hpp>

#include <string>

using namespace std::chrono;
using ringlet::http::format_date;
using ringlet::http::parse_date;

namespace {
std::string text_of(sys_seconds t) {
    const auto text = format_date(t);
    return {text.data(), text.size()};
}
constexpr sys_seconds example{seconds{784111777}};  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr sys_seconds now{seconds{1767225600}};     // 2026-01-01
}  // namespace

TEST_CASE("dates are written as IMF-fixdate", "[http][date]") {
    CHECK(text_of(example) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(text_of(sys_seconds{}) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(text_of(sys_seconds{seconds{-1}}) == "Wed, 31 Dec 1969 23:59:59 GMT");
    CHECK(text_of(sys_seconds{seconds{1709164799}}) == "Wed, 28 Feb 2024 23:59:59 GMT");
    CHECK(text_of(sys_seconds{seconds{1709164800}}) == "Thu, 29 Feb 2024 00:00:00 GMT");
    CHECK(text_of(sys_seconds::max()) == "Fri, 31 Dec 9999 23:59:59 GMT");
    CHECK(text_of(sys_seconds::min()) == "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST_CASE("the three forms of RFC 9110 section 5.6.7 are read", "[http][date]") {
    CHECK(parse_date("Sun, 06 Nov 1994 08:49:37 GMT", now) == example);
    CHECK(parse_date("Sunday, 06-Nov-94 08:49:37 GMT", now) == example);
    CHECK(parse_date("Sun Nov  6 08:49:37 1994", now) == example);
    CHECK(parse_date("Wed Nov 16 08:49:37 1994", now) == example + days{10});
    CHECK(parse_date("Mon, 06 Nov 1994 08:49:37 GMT", now) == example);  // nobody relies on the weekday
}

TEST_CASE("a two-digit year more than 50 years ahead lies in the past", "[http][date]") {
    CHECK(parse_date("Sunday, 06-Nov-76 08:49:37 GMT", now) == parse_date("Sat, 06 Nov 2076 08:49:37 GMT", now));
    CHECK(parse_date("Sunday, 06-Nov-77 08:49:37 GMT", now) == parse_date("Sun, 06 Nov 1977 08:49:37 GMT", now));
}

TEST_CASE("what is no date is refused", "[http][date]") {
    for (const char* bad : {"",
                            "0",
                            "now",
                            "Sun, 06 Nov 1994 08:49:37",
                            "Sun, 06 Nov 1994 08:49:37 UTC",
                            "Sun, 06 Nov 1994 08:49:37 +0000",
                            "Sun, 6 Nov 1994 08:49:37 GMT",
                            "Sun, 06 nov 1994 08:49:37 GMT",
                            "Sun, 31 Nov 1994 08:49:37 GMT",
                            "Sun, 29 Feb 2023 08:49:37 GMT",
                            "Sun, 00 Nov 1994 08:49:37 GMT",
                            "Sun, 06 Nov 1994 24:00:00 GMT",
                            "Sun, 06 Nov 1994 08:60:00 GMT",
                            "Sun, 06 Nov 1994 08:49:61 GMT",
                            "Sun, 06 Nov 94 08:49:37 GMT",
                            "Sun, 06 Nov 1994 08:49:37 GMT ",
                            " Sun, 06 Nov 1994 08:49:37 GMT",
                            "Xxx, 06 Nov 1994 08:49:37 GMT",
                            "Sun, 06 Nov -994 08:49:37 GMT",
                            "Sunday, 06-Nov-1994 08:49:37 GMT",
                            "Sun Nov 6 08:49:37 1994",
                            "Sun Nov 06 08:49:37 94",
                            "Sun,",
                            "Sun "}) {
        INFO(bad);
        CHECK_FALSE(parse_date(bad, now));
    }
}

TEST_CASE("every day comes back as it was written", "[http][date]") {
    for (sys_seconds t{seconds{-5'000'000'000}}; t < sys_seconds{seconds{8'000'000'000}};
         t += seconds{86'400 * 37 + 4001})
        if (parse_date(text_of(t), now) != t) FAIL(text_of(t));
    SUCCEED();
}
