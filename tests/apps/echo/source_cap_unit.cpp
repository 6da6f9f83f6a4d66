// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "echo/source_cap.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace {

using echo::source_cap;
using ringlet::net::endpoint;
using namespace std::chrono_literals;

constexpr ringlet::clock::time_point start{1000s};

endpoint source(std::string_view address, std::uint16_t port = 5000) {
    const std::optional<endpoint> parsed = endpoint::try_parse_address(address, port);
    REQUIRE(parsed.has_value());
    return *parsed;
}

unsigned admitted(source_cap& cap, const endpoint& from, unsigned count, ringlet::clock::time_point now) {
    unsigned sum = 0;
    for (unsigned i = 0; i < count; ++i) sum += cap.admits(from, now) ? 1 : 0;
    return sum;
}

}  // namespace

TEST_CASE("a source gets a second's worth at once, and then its rate", "[source_cap]") {
    source_cap cap{10};
    const endpoint one = source("192.0.2.1");
    CHECK(admitted(cap, one, 100, start) == 10);
    CHECK(admitted(cap, one, 100, start + 99ms) == 0);
    CHECK(admitted(cap, one, 100, start + 100ms) == 1);
    CHECK(admitted(cap, one, 100, start + 600ms) == 5);
    CHECK(admitted(cap, one, 100, start + 1h) == 10);
    // What is refused costs nothing.
    CHECK(admitted(cap, one, 100'000, start + 1h + 1ms) == 0);
    CHECK(admitted(cap, one, 100, start + 1h + 100ms) == 1);
}

TEST_CASE("what counts is the address, not the port", "[source_cap]") {
    source_cap cap{1};
    CHECK(cap.admits(source("192.0.2.1", 1), start));
    CHECK_FALSE(cap.admits(source("192.0.2.1", 2), start));
    // An IPv6 socket names the same source so.
    CHECK_FALSE(cap.admits(source("::ffff:192.0.2.1"), start));
}

TEST_CASE("an IPv6 source is a network of 64 bits", "[source_cap]") {
    source_cap cap{1};
    CHECK(cap.admits(source("2001:db8:1:2::1"), start));
    CHECK_FALSE(cap.admits(source("2001:db8:1:2:ffff::9"), start));
    CHECK(cap.admits(source("2001:db8:1:3::1"), start));
}

TEST_CASE("however many sources are forged, one gets no more than its rate", "[source_cap]") {
    source_cap cap{5};
    const endpoint victim = source("192.0.2.1");
    unsigned answers = 0;
    for (std::uint32_t i = 0; i < 300'000; ++i) {
        static_cast<void>(cap.admits(endpoint::v4({10, static_cast<std::uint8_t>(i >> 16),
                                                   static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)},
                                                  1),
                                     start));
        answers += cap.admits(victim, start) ? 1 : 0;
    }
    CHECK(answers <= 5);
}

TEST_CASE("different sources seldom share a place", "[source_cap]") {
    source_cap cap{1};
    unsigned answers = 0;
    for (std::uint32_t i = 0; i < 1000; ++i)
        answers +=
            cap.admits(endpoint::v4({192, 168, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}, 1),
                       start)
                ? 1
                : 0;
    CHECK(answers > 900);  // 8 of 1000 are expected to share one
}

TEST_CASE("no cap admits all", "[source_cap]") {
    source_cap none{0};
    CHECK_FALSE(none.active());
    CHECK(admitted(none, source("192.0.2.1"), 10'000, start) == 10'000);
}
