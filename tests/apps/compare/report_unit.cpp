// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "compare/report/curve.hpp"
#include "compare/report/quantity.hpp"
#include "compare/report/scale.hpp"
#include "compare/report/troubles.hpp"

#include <cmath>
#include <limits>

using namespace comparison;
using namespace std::chrono_literals;

TEST_CASE("figures have three digits that count, and the unit that suits them") {
    CHECK(show(quantity::rate, 150'234) == "150,000");
    CHECK(show(quantity::rate, 19.94) == "19.9");
    CHECK(show(quantity::rate, 999.6) == "1,000");
    CHECK(show(quantity::rate, 0) == "0");
    CHECK(show(quantity::count, 0.0123) == "0.012");
    CHECK(show(quantity::count, 2.034) == "2.03");
    CHECK(show(quantity::whole, 1234567) == "1,234,567");
    CHECK(show(quantity::whole, -1000) == "-1,000");
    CHECK(show(quantity::time, 850) == "850 ns");
    CHECK(show(quantity::time, 412'300) == "412 µs");
    CHECK(show(quantity::time, 999'900) == "1.00 ms");
    CHECK(show(quantity::time, 900e6) == "900 ms");
    CHECK(show(quantity::time, 61.2e9) == "61.2 s");
    CHECK(show(quantity::bytes, 1536) == "1.5KiB");
    CHECK(show(quantity::bytes, -1536) == "-1.5KiB");
    CHECK(show(quantity::bytes, -0.4) == "0B");
}

TEST_CASE("what is no number is said to be none") {
    for (const double value : {std::nan(""), std::numeric_limits<double>::infinity(), 1e300}) {
        CHECK(show(quantity::time, value) == "?");
        CHECK(show(quantity::bytes, value) == "?");
        CHECK(show_range(quantity::time, {value, value, value}) == "?");
    }
}

TEST_CASE("a range has the unit of its middle, and is none when its ends look the same") {
    CHECK(show_range(quantity::time, {1'050'000, 980'000, 1'200'000}) == "0.98–1.20 ms");
    CHECK(show_range(quantity::time, {1'000'000, 999'999, 1'000'001}) == "1.00 ms");
    CHECK(show_range(quantity::rate, {150'000, 148'000, 154'000}) == "148,000–154,000");
}

TEST_CASE("round values stand on an axis") {
    CHECK(show_short(quantity::rate, 150'000) == "150k");
    CHECK(show_short(quantity::rate, 0.5) == "0.5");
    CHECK(show_short(quantity::time, 20'000) == "20 µs");
    CHECK(scale::linear(151'000, 0, 100).ticks() == std::vector<double>{0, 50'000, 100'000, 150'000, 200'000});
    CHECK(scale::logarithmic(30, 900, 0, 100).ticks() == std::vector<double>{10, 20, 50, 100, 200, 500, 1'000});
    CHECK(scale::logarithmic(1, 1e6, 0, 100).ticks().size() == 7);
}

TEST_CASE("values have their place, whatever they are") {
    const scale up = scale::linear(10, 200, 0);
    CHECK(up.place(0) == 200);
    CHECK(up.place(5) == 100);
    CHECK(up.place(99) == 0);
    CHECK(up.place(-1) == 200);
    const scale across = scale::logarithmic_between(1, 10'000, 0, 100);
    CHECK(across.place(0) == 0);
    CHECK(across.place(-5) == 0);
    CHECK(std::abs(across.place(100) - 50) < 1e-9);
    CHECK(std::isfinite(scale::logarithmic_between(7, 7, 0, 100).place(7)));
    CHECK(scale::fitting(std::vector<double>{}, 0, 100).place(1) == 100);
    CHECK_FALSE(scale::fitting(std::vector<double>{0, 20, 640}, 0, 100).is_logarithmic());
    CHECK(scale::fitting(std::vector<double>{0, 1, 640}, 0, 100).is_logarithmic());
}

TEST_CASE("labels make room for each other and keep their order") {
    CHECK(spread_out({10, 50, 90}, 15, 0, 100) == std::vector<double>{10, 50, 90});
    CHECK(spread_out({100, 100, 99}, 15, 0, 100) == std::vector<double>{85, 100, 70});
    CHECK(spread_out({0, 1, 2}, 15, 0, 100) == std::vector<double>{0, 15, 30});
    CHECK(spread_out({5, 5, 5}, 15, 0, 20) == std::vector<double>{0, 15, 30});
    CHECK(spread_out({}, 15, 0, 20).empty());
}

TEST_CASE("the tail is stretched") {
    CHECK(position_of(-1) == 0);
    CHECK(position_of(0) == 0);
    CHECK(position_of(0.45) == 0.5);
    CHECK(std::abs(position_of(0.9) - 1) < 1e-9);
    CHECK(std::abs(position_of(0.999) - 3) < 1e-9);
    CHECK(position_of(1) == positions);
    CHECK(position_of(0.99999999) == positions);
}

TEST_CASE("a curve is thinned where its points would lie on each other") {
    latencies times;
    for (int i = 0; i <= 100'000; ++i) times.curve.push_back({i / 100'000.0, nanoseconds{i}});
    const auto points = thinned(times);
    CHECK(points.size() <= 102);
    CHECK(points.size() > 90);
    CHECK(points.front().time == 0ns);
    CHECK(points.back().time == 100'000ns);
    CHECK(thinned({}).empty());
}

TEST_CASE("the typical run is the middle one of those with answers") {
    row one;
    CHECK(typical_run(one) == nullptr);
    for (const int time : {30, 10, 20, 0}) {
        measurement& run = one.runs.emplace_back();
        if (time > 0) run.times.curve = {{0, nanoseconds{time}}, {1, nanoseconds{time}}};
    }
    REQUIRE(typical_run(one) == &one.runs[2]);
}

TEST_CASE("troubles are told in words") {
    row one;
    CHECK(troubles_of(one).empty());
    one.runs.resize(2, {.connections = 1000, .served = 1000});
    CHECK(troubles_of(one).empty());
    one.runs[1].served = 1;
    CHECK(troubles_of(one) == "served 1 of 1,000 connections");
    one.runs[0].errors[static_cast<std::size_t>(error_kind::timed_out)] = 10;
    one.runs[1].errors[static_cast<std::size_t>(error_kind::reset)] = 2;
    CHECK(troubles_of(one) == "served 1 of 1,000 connections; 12 errors: 2 reset, 10 timed out");
    CHECK(troubles_of({.why_not = "no fork"}) == "not run: no fork");
}
