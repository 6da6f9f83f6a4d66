// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/result.hpp>

#include <memory>
#include <string>
#include <system_error>

using namespace ringlet_tests;
using ringlet::result;

TEST_CASE("a result holds a value or an error", "[result]") {
    result<std::unique_ptr<int>> good{std::make_unique<int>(3)};
    CHECK(good.has_value());
    CHECK_FALSE(good.error());
    CHECK(**good == 3);
    CHECK(*std::move(good).value() == 3);
    result<std::string> bad{std::make_error_code(std::errc::broken_pipe)};
    CHECK_FALSE(bad);
    CHECK(bad.error() == std::errc::broken_pipe);
    CHECK_THROWS_AS(bad.value(), std::system_error);
    CHECK(std::move(bad).value_or("other") == "other");
}

TEST_CASE("a result can be moved and assigned in every combination", "[result]") {
    for (const bool from_value : {true, false}) {
        for (const bool to_value : {true, false}) {
            const auto make = [](bool v) {
                return v ? result<counted>{counted{1}} : result<counted>{std::make_error_code(std::errc::io_error)};
            };
            result<counted> to = make(to_value);
            result<counted> from = make(from_value);
            to = std::move(from);
            CHECK(to.has_value() == from_value);
            const result<counted> third{std::move(to)};
            CHECK(third.has_value() == from_value);
        }
    }
    CHECK(counted::alive == 0);
}

TEST_CASE("a result of nothing is good unless it holds an error", "[result]") {
    const result<void> good;
    CHECK(good);
    CHECK_NOTHROW(good.value());
    CHECK_FALSE(good.error());
    const result<void> bad{std::make_error_code(std::errc::io_error)};
    CHECK_FALSE(bad);
    CHECK(bad.error() == std::errc::io_error);
    CHECK_THROWS_AS(bad.value(), std::system_error);
    const result<void> copy = result<void>{bad.error()};
    CHECK(copy.error() == std::errc::io_error);
}
