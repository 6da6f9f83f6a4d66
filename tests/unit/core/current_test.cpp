// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/current.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/time/sleep.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>

using namespace ringlet_tests;
using ringlet::current;
using ringlet::job;
using ringlet::spawn;
using ringlet::task;

TEST_CASE("a job knows its own name and can be renamed from inside", "[job][current]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        job<> named = spawn([]() -> task<> {
            auto me = current();
            CHECK(me.name() == "first");
            me.set_name("second");
            co_return;
        });
        named.set_name("first");
        co_await named.join();
        CHECK(named.name() == "second");
        CHECK(current().name().empty());
    }());
}

TEST_CASE("an awaited task runs in the job of who awaits it", "[job][current]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        current().set_name("main");
        co_await []() -> task<> {
            CHECK(current().name() == "main");
            co_await ringlet::yield();
            CHECK(current().name() == "main");
        }();
    }());
}

TEST_CASE("a job can cancel itself, and lend itself to who may cancel it", "[job][current]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        job<> own = spawn([]() -> task<> {
            auto me = current();
            CHECK_FALSE(me.cancel_pending());
            me.cancel();
            CHECK(me.cancel_pending());
            co_await ringlet::sleep(1h);
        });
        const std::string text = co_await fate(own.get());
        CHECK(text == "cancelled");
        job<> lender = spawn([]() -> task<> {
            auto me = current();
            job<> other = spawn(
                [](ringlet::current_job& it) -> task<> {
                    it.cancel();
                    co_return;
                },
                std::ref(me));
            co_await other.join();
        });
        const std::string lent = co_await fate(lender.get());
        CHECK(lent == "cancelled");
    }());
    CHECK(loop.now() == 0ms);
    STATIC_REQUIRE_FALSE(std::is_move_constructible_v<ringlet::current_job>);
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<ringlet::current_job>);
}

TEST_CASE("where no job runs, current aborts", "[current][abort]") {
    CHECK(contains(last_words([] { static_cast<void>(current()); }), "no job runs here"));
}

TEST_CASE("a job tells whether it has ended, how, and why", "[job]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        job<int> good = spawn([]() -> task<int> { co_return 5; });
        job<> bad = spawn([]() -> task<> {
            co_await ringlet::yield();
            throw std::runtime_error{"bad"};
        });
        job<> ugly = spawn([]() -> task<> { co_await ringlet::sleep(1h); });
        CHECK_FALSE(good.ready());
        CHECK_FALSE(good.successful());
        CHECK(bad.exception() == nullptr);
        co_await ringlet::sleep(1ms);
        ugly.cancel();
        CHECK_FALSE(ugly.ready());
        co_await ringlet::yield();
        CHECK((good.ready() && bad.ready() && ugly.ready()));
        CHECK(good.successful());
        CHECK_FALSE(bad.successful());
        CHECK_FALSE(ugly.successful());
        CHECK(good.exception() == nullptr);
        CHECK_THROWS_WITH(std::rethrow_exception(bad.exception()), "bad");
        CHECK(ringlet::detail::is_cancelled(ugly.exception()));
        const int five = co_await good.get();
        CHECK(five == 5);
    }());  // bad was looked at: its failure goes nowhere else
}

TEST_CASE("asking whether a job has failed is not yet seeing why", "[job]") {
    checked_loop loop;
    const auto main = []() -> task<> {
        {
            job<> bad = spawn([]() -> task<> {
                co_await ringlet::yield();
                throw std::runtime_error{"not looked at"};
            });
            co_await ringlet::sleep(1ms);
            CHECK((bad.ready() && !bad.successful()));
        }
        co_await ringlet::sleep(1h);
    };
    CHECK_THROWS_WITH(loop.run(main()), "not looked at");
}
