// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/async_generator.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/current.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>
#include <ringlet/time/timeout_scope.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

using namespace ringlet_tests;
using ringlet::job;
using ringlet::move_on_after;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet::timeout_scope;
using ringlet::with_timeout;

namespace {

task<> two_naps(std::chrono::nanoseconds limit, std::chrono::nanoseconds each) {
    const timeout_scope whole{limit};
    co_await sleep(each);
    co_await sleep(each);
}
task<int> value_after(std::chrono::nanoseconds time, int value) {
    co_await sleep(time);
    co_return value;
}
task<> nested(std::string& log) {
    timeout_scope outer{20ms};
    try {
        timeout_scope inner{5ms};
        try {
            co_await sleep(1h);
        } catch (const ringlet::cancelled&) {
            if (!inner.end()) throw;
            log += "inner ";
        }
        co_await sleep(1h);
    } catch (const ringlet::cancelled&) {
        log += "outer ";
        outer.rethrow();
    }
}
task<int> nap_for_long() {
    co_await sleep(1h);
    co_return 1;
}

// The next await's `cancelled` of another job, after a limit has run out and its end has been caught.
task<> asks_a_cancelled_job(job<int>& other) {
    try {
        const timeout_scope limit{10ms};
        co_await sleep(1h);
    } catch (const ringlet::cancelled&) {
    }
    co_await other.get();
}
task<> asks_a_cancelled_job_too_late(job<int>& other, bool by_hand) {
    timeout_scope limit{10ms};
    co_await ringlet::shield(sleep(20ms));
    try {
        co_await ringlet::shield(other.get());
    } catch (const ringlet::cancelled&) {
        if (by_hand) limit.rethrow();
        CHECK_FALSE(limit.end());
        throw;
    }
}
task<> is_cancelled_after_a_limit() {
    try {
        const timeout_scope limit{10ms};
        co_await sleep(1h);
    } catch (const ringlet::cancelled&) {
    }
    ringlet::current().cancel();
    co_await sleep(1h);
}

enum class cleanup { within_the_block, behind_the_block, in_another_coroutine };

task<> throw_later(std::exception_ptr what) {
    co_await ringlet::yield();
    std::rethrow_exception(what);
}
task<> cleans_up(cleanup where, int awaits) {
    std::exception_ptr ended;
    {
        const timeout_scope limit{10ms};
        try {
            co_await sleep(1h);
        } catch (const ringlet::cancelled&) {
            ended = std::current_exception();
        }
        if (where == cleanup::within_the_block) {
            for (int i = 0; i < awaits; ++i) co_await ringlet::shield(ringlet::yield());
            std::rethrow_exception(ended);
        }
    }
    for (int i = 0; i < awaits; ++i) co_await ringlet::yield();
    if (where == cleanup::behind_the_block) std::rethrow_exception(ended);
    co_await throw_later(ended);
}
task<> nap() { co_await sleep(1h); }
// Ready all the time from when the limit ends; before, it would keep the virtual clock from going on.
task<> spin() {
    co_await sleep(10ms);
    for (;;) co_await ringlet::yield();
}

// Cleans up for 10 ms after the inner limit; what is due around it then speaks.
task<> cleans_up_for_long(bool by_hand) {
    timeout_scope inner{5ms};
    std::exception_ptr ended;
    try {
        co_await sleep(1h);
    } catch (const ringlet::cancelled&) {
        ended = std::current_exception();
    }
    co_await ringlet::shield(sleep(10ms));
    try {
        std::rethrow_exception(ended);
    } catch (const ringlet::cancelled&) {
        if (by_hand) inner.rethrow();
        throw;
    }
}
task<> within_an_outer_limit(bool by_hand) {
    const timeout_scope outer{12ms};
    co_await cleans_up_for_long(by_hand);
}
task<> notices_by_itself() {
    const timeout_scope limit{5ms};
    co_await ringlet::shield(sleep(6ms));
    if (ringlet::current().cancel_pending()) throw ringlet::cancelled{};
}

task<> some_limits() {
    std::string log;
    try {
        co_await nested(log);
    } catch (const ringlet::timeout_error&) {
        log += "end";
    }
    const bool in_time = co_await move_on_after(5ms, two_naps(1s, 4ms));
    if (in_time || log != "inner outer end") throw std::runtime_error{"limits went wrong: " + log};
}

}  // namespace

TEST_CASE("a timeout_scope limits several awaits together, and the task ends with its error", "[timeout_scope]") {
    checked_loop loop;
    CHECK(loop.run(fate(two_naps(10ms, 4ms))) == "done");
    CHECK(loop.now() == 8ms);
    const std::string text = loop.run(fate(two_naps(10ms, 6ms)));
    CHECK(text.starts_with("time limit of 10 ms exceeded (set at "));
    CHECK(contains(text, "timeout_scope_test.cpp:"));
    CHECK(loop.now() == 18ms);
    CHECK(contains(loop.run(fate(two_naps(0ms, 6ms))), "limit of 0 s exceeded"));
    CHECK(contains(loop.run(fate(two_naps(-1s, 6ms))), "limit of -1 s exceeded"));
    CHECK(loop.run(fate(two_naps(std::chrono::nanoseconds::max(), 1ms))) == "done");
    CHECK(loop.now() == 20ms);
}

TEST_CASE("inside the block it is a cancellation, which no handler of errors catches", "[timeout_scope]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        std::string log;
        const auto body = [](std::string& l) -> task<> {
            const timeout_scope limit{5ms};
            try {
                co_await sleep(1h);
            } catch (const std::exception&) {
                l += "swallowed";
            } catch (const ringlet::cancelled&) {
                l += "cancelled ";
                throw;
            }
        };
        const std::string end = co_await fate(body(log));
        CHECK(log == "cancelled ");
        CHECK(contains(end, "limit of 5 ms exceeded"));
    }());
}

TEST_CASE("timeout scopes nest, and each speaks for itself", "[timeout_scope]") {
    checked_loop loop;
    std::string log;
    const std::string end = loop.run(fate(nested(log)));
    CHECK(log == "inner outer ");
    CHECK(contains(end, "limit of 20 ms exceeded"));
    CHECK(loop.now() == 20ms);
    SECTION("of two that are due the outer one speaks") {
        const auto both = []() -> task<> {
            const timeout_scope outer{5ms};
            const timeout_scope inner{5ms + 0ns};
            co_await sleep(1h);
        };
        const std::string text = loop.run(fate(with_timeout(5ms, both())));
        CHECK(contains(text, "limit of 5 ms exceeded"));
        CHECK(loop.now() == 25ms);
    }
    SECTION("with a limit around and one inside") {
        const std::string around = loop.run(fate(with_timeout(3ms, two_naps(10ms, 6ms))));
        CHECK(contains(around, "limit of 3 ms exceeded"));
        const auto inside = []() -> task<> {
            const timeout_scope limit{10ms};
            co_await with_timeout(1ms, sleep(1h));
        };
        CHECK(contains(loop.run(fate(inside())), "sleep: time limit of 1 ms exceeded"));
    }
}

TEST_CASE("a cancellation from outside passes through a timeout_scope, though its time is up", "[timeout_scope]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        job<> early = spawn(two_naps, 10ms, 1h);
        co_await sleep(1ms);
        early.cancel();
        const std::string text = co_await fate(early.get());
        CHECK(text == "cancelled");
        job<> both = spawn(two_naps, 10ms, 1h);
        co_await sleep(10ms);
        both.cancel();
        const std::string at_once = co_await fate(both.get());
        CHECK((at_once == "cancelled" || contains(at_once, "limit of 10 ms")));
        const auto rethrows = []() -> task<> {
            timeout_scope limit{10ms};
            try {
                co_await sleep(1h);
            } catch (const ringlet::cancelled&) {
                limit.rethrow();
            }
        };
        job<> handled = spawn(rethrows);
        co_await sleep(1ms);
        handled.cancel();
        const std::string passed = co_await fate(handled.get());
        CHECK(passed == "cancelled");
    }());
}

TEST_CASE("a block that ends well or with an error of its own is not late", "[timeout_scope]") {
    checked_loop loop;
    const auto well = []() -> task<int> {
        timeout_scope limit{5ms};
        co_await ringlet::shield(sleep(6ms));
        CHECK(limit.expired());
        co_return 1;
    };
    CHECK(loop.run(well()) == 1);
    const auto badly = []() -> task<> {
        timeout_scope limit{5ms};
        co_await ringlet::shield(sleep(6ms));
        throw std::runtime_error{"its own"};
    };
    CHECK(loop.run(fate(badly())) == "its own");
    // What such a scope noted in passing is forgotten when the coroutine goes on, and no later cancellation is taken for it.
    const auto goes_on = []() -> task<> {
        try {
            timeout_scope limit{5ms};
            co_await ringlet::shield(sleep(6ms));
            throw std::runtime_error{"swallowed"};
        } catch (const std::runtime_error&) {
        }
        job<> child = spawn([]() -> task<> { co_await sleep(1h); });
        child.cancel();
        co_await child.get();
    };
    CHECK(loop.run(fate(goes_on())) == "cancelled");
}

TEST_CASE("the cancelled of another job, or of the job itself, is not taken for a limit's", "[timeout_scope]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        job<int> other = spawn(nap_for_long);
        other.cancel();
        co_await other.join();
        const std::string behind = co_await fate(asks_a_cancelled_job(other));
        CHECK(behind == "cancelled");
        for (const bool by_hand : {false, true}) {
            CAPTURE(by_hand);
            const std::string within = co_await fate(asks_a_cancelled_job_too_late(other, by_hand));
            CHECK(within == "cancelled");
        }
        CHECK(here.now() == 50ms);
        job<> own = spawn(is_cancelled_after_a_limit);
        const std::string own_end = co_await fate(own.get());
        CHECK(own_end == "cancelled");
    }(loop));
}

TEST_CASE("a limit's end is its own however much is awaited before it is thrown on", "[timeout_scope]") {
    checked_loop loop;
    for (const bool beside_others : {false, true}) {
        for (const int awaits : {0, 1, 3}) {
            for (const cleanup where :
                 {cleanup::within_the_block, cleanup::behind_the_block, cleanup::in_another_coroutine}) {
                CAPTURE(beside_others, awaits, static_cast<int>(where));
                std::string end;
                loop.run([](bool beside, int n, cleanup w, std::string& text) -> task<> {
                    job<> busy = spawn(beside ? spin : nap);
                    text = co_await fate(cleans_up(w, n));
                    busy.cancel();
                    co_await busy.join();
                }(beside_others, awaits, where, end));
                CHECK(contains(end, "limit of 10 ms exceeded"));
            }
        }
    }
}

TEST_CASE("what is due around a limit when its block ends speaks in its place", "[timeout_scope]") {
    checked_loop loop;
    for (const bool by_hand : {false, true}) {
        CAPTURE(by_hand);
        CHECK(contains(loop.run(fate(cleans_up_for_long(by_hand))), "limit of 5 ms exceeded"));
        CHECK(contains(loop.run(fate(within_an_outer_limit(by_hand))), "limit of 12 ms exceeded"));
        CHECK(contains(loop.run(fate(with_timeout(13ms, cleans_up_for_long(by_hand)))), "limit of 13 ms exceeded"));
        loop.run([](bool hand) -> task<> {
            job<> cancelled_meanwhile = spawn(cleans_up_for_long, hand);
            co_await sleep(7ms);
            cancelled_meanwhile.cancel();
            const std::string end = co_await fate(cancelled_meanwhile.get());
            CHECK(end == "cancelled");
        }(by_hand));
    }
}

TEST_CASE("who notices himself that the time is up may throw cancelled", "[timeout_scope]") {
    checked_loop loop;
    CHECK(contains(loop.run(fate(notices_by_itself())), "limit of 5 ms exceeded"));
}

TEST_CASE("a timeout_scope reaches what child jobs do, and can be given more time", "[timeout_scope]") {
    checked_loop loop;
    const auto children = []() -> task<> {
        const timeout_scope limit{5ms};
        co_await ringlet::when_all(sleep(1h), two_naps(1h, 1h));
    };
    CHECK(contains(loop.run(fate(children())), "limit of 5 ms exceeded"));
    CHECK(loop.now() == 5ms);
    const auto patient = []() -> task<> {
        timeout_scope limit{5ms};
        co_await sleep(4ms);
        limit.restart(10ms);
        co_await sleep(9ms);
        limit.restart(2ms);
        co_await sleep(3ms);
    };
    CHECK(contains(loop.run(fate(patient())), "limit of 2 ms exceeded"));
    CHECK(loop.now() == 20ms);
    const auto unlimited = []() -> task<> {
        timeout_scope limit{5ms};
        CHECK_FALSE(limit.end());
        limit.restart(1ms);
        co_await sleep(10ms);
    };
    CHECK(loop.run(fate(unlimited())) == "done");
}

TEST_CASE("an async generator may limit what it does between two values", "[timeout_scope]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto values = []() -> ringlet::async_generator<int> {
            co_yield 1;
            const timeout_scope limit{5ms};
            co_await sleep(1h);
        }();
        static_cast<void>(co_await values.next());
        std::string text;
        try {
            static_cast<void>(co_await values.next());
        } catch (const ringlet::timeout_error& error) {
            text = error.what();
        }
        CHECK(contains(text, "limit of 5 ms exceeded"));
    }());
}

TEST_CASE("move_on_after gives nothing instead of an error", "[timeout][move_on]") {
    checked_loop loop;
    loop.run([](checked_loop& here) -> task<> {
        const bool in_time = co_await move_on_after(10ms, sleep(9ms));
        CHECK(in_time);
        const bool late = co_await move_on_after(10ms, sleep(11ms));
        CHECK_FALSE(late);
        CHECK(here.now() == 19ms);
        const auto value = co_await move_on_after(10ms, value_after(1ms, 7));
        CHECK(value == 7);
        const auto none = co_await move_on_after(10ms, value_after(1h, 7));
        CHECK_FALSE(none.has_value());
        const bool until = co_await ringlet::move_on_at(here.now() + ringlet::deadline{}, sleep(1ms));
        CHECK_FALSE(until);
        CHECK(here.now() == 30ms);
        const std::string inner = co_await fate(move_on_after(10ms, with_timeout(1ms, sleep(1h))));
        CHECK(contains(inner, "limit of 1 ms exceeded"));
        const std::string outer = co_await fate(with_timeout(1ms, move_on_after(10ms, sleep(1h))));
        CHECK(contains(outer, "sleep: time limit of 1 ms exceeded"));
        auto as_value = co_await ringlet::as_result(move_on_after(1ms, sleep(1h)));
        CHECK_FALSE(*as_value);
    }(loop));
}

TEST_CASE("misuse of a timeout_scope aborts", "[timeout_scope][abort]") {
    CHECK(contains(last_words([] { const timeout_scope nowhere{1ms}; }), "no ringlet loop runs"));
    CHECK(contains(last_words([] {
                       ringlet::testing::virtual_loop loop;
                       loop.run([]() -> task<> {
                           auto first = std::make_unique<timeout_scope>(1ms);
                           const timeout_scope second{2ms};
                           first.reset();
                           co_return;
                       }());
                   }),
                   "cancel scopes must end in the opposite order"));
}

TEST_CASE("limits survive cancellation and failure at every point", "[timeout_scope][everywhere]") {
    const auto scenario = [](ringlet::testing::simulation&) { return some_limits(); };
    const auto cancelled = ringlet::testing::cancel_everywhere(scenario);
    CHECK(cancelled.points > 4);
    CHECK(cancelled.cancelled > 0);
    CHECK(cancelled.failed == 0);
    CHECK(ringlet::testing::fail_everywhere(scenario).points > 5);
}
