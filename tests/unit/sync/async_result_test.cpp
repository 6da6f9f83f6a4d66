// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/sync/async_result.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

using namespace ringlet_tests;
using ringlet::async_result;
using ringlet::spawn;
using ringlet::task;

TEST_CASE("every waiter gets the value, and who comes later too", "[sync][async_result]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        async_result<std::string> result;
        auto wait = [](async_result<std::string>& from) -> task<std::string> { co_return co_await from.get(); };
        auto a = spawn(wait, std::ref(result));
        auto b = spawn(wait, std::ref(result));
        co_await ringlet::sleep(1ms);
        CHECK_FALSE(result.ready());
        result.set("it");
        CHECK(result.successful());
        const std::string first = co_await a.get();
        const std::string second = co_await b.get();
        const std::string late = co_await result.get();
        CHECK(first + second + late == "ititit");
    }());
}

TEST_CASE("a failure is thrown at every waiter", "[sync][async_result]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        async_result<> result;
        auto waiter = spawn([](async_result<>& from) -> task<> { co_await from.get(); }, std::ref(result));
        co_await ringlet::yield();
        result.set_exception(std::make_exception_ptr(std::runtime_error{"it broke"}));
        CHECK(result.ready());
        CHECK_FALSE(result.successful());
        CHECK(result.exception() != nullptr);
        const std::string first = co_await fate(waiter.get());
        const std::string late = co_await fate(result.get());
        CHECK(first == "it broke");
        CHECK(late == "it broke");
    }());
}

TEST_CASE("a wait for a result has a limit, and what cannot be copied is given once", "[sync][async_result]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        async_result<std::unique_ptr<int>> result;
        const std::string late = co_await fate(ringlet::with_timeout(3ms, result.get()));
        CHECK(contains(late, "time limit of 3 ms exceeded"));
        result.set(std::make_unique<int>(7));
        const auto value = co_await result.get();
        CHECK(*value == 7);
    }());
}

TEST_CASE("an async_result that is set twice aborts", "[sync][async_result][abort]") {
    CHECK(contains(last_words([] {
                       async_result<int> result;
                       result.set(1);
                       result.set(2);
                   }),
                   "was set twice"));
}
