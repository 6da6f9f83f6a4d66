// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace ringlet_tests;
using ringlet::job;
using ringlet::join_options;
using ringlet::joinall;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using std::chrono::nanoseconds;

namespace {

task<> naps(nanoseconds time, std::string& log, char name) {
    co_await sleep(time);
    log += name;
}
task<> fails(nanoseconds after, std::string text) {
    co_await sleep(after);
    throw std::runtime_error{text};
}
std::vector<job<>> three(std::string& log) {
    std::vector<job<>> jobs;
    jobs.push_back(spawn(naps, 30ms, std::ref(log), 'c'));
    jobs.push_back(spawn(naps, 10ms, std::ref(log), 'a'));
    jobs.push_back(spawn(naps, 20ms, std::ref(log), 'b'));
    return jobs;
}

}  // namespace

TEST_CASE("joinall waits for the last of its jobs", "[joinall]") {
    checked_loop loop;
    std::string log;
    const std::size_t ended = loop.run([](std::string& l) -> task<std::size_t> {
        auto jobs = three(l);
        co_return co_await joinall(jobs);
    }(log));
    CHECK(ended == 3);
    CHECK(log == "abc");
    CHECK(loop.now() == 30ms);
}

TEST_CASE("joinall ends at its timeout, exactly, and tells how many had ended", "[joinall]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l, checked_loop& here) -> task<> {
        auto jobs = three(l);
        const join_options until_25{25ms};
        const std::size_t two = co_await joinall(jobs, until_25);
        CHECK(two == 2);
        CHECK(here.now() == 25ms);
        CHECK_FALSE(jobs[0].ready());
        const join_options at_once{0ms};
        const std::size_t still_two = co_await joinall(jobs, at_once);
        CHECK(still_two == 2);
        const join_options negative{-1s};
        const std::size_t and_again = co_await joinall(jobs, negative);
        CHECK(and_again == 2);
        const join_options huge{nanoseconds::max()};
        const std::size_t all = co_await joinall(jobs, huge);
        CHECK(all == 3);
    }(log, loop));
    CHECK(loop.now() == 30ms);
}

TEST_CASE("joinall waits for as many as asked for", "[joinall]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l, checked_loop& here) -> task<> {
        auto jobs = three(l);
        const join_options none{std::nullopt, 0};
        const std::size_t zero = co_await joinall(jobs, none);
        CHECK(zero == 0);
        const join_options first{std::nullopt, 1};
        const std::size_t one = co_await joinall(jobs, first);
        CHECK(one == 1);
        CHECK(here.now() == 10ms);
        const join_options more_than_there_are{std::nullopt, 99};
        const std::size_t three_of_them = co_await joinall(jobs, more_than_there_are);
        CHECK(three_of_them == 3);
    }(log, loop));
}

TEST_CASE("joinall throws the first failure in the order of the jobs, and the others count as seen", "[joinall]") {
    checked_loop loop;
    const auto text = loop.run([]() -> task<std::string> {
        std::vector<job<>> jobs;
        jobs.push_back(spawn(fails, 2ms, "late, but first in order"));
        jobs.push_back(spawn(fails, 1ms, "early"));
        co_return co_await fate(joinall(jobs));
    }());
    CHECK(text == "late, but first in order");
}

TEST_CASE("a failure that joinall throws is not lost within a time limit, and as_result leaves it alone", "[joinall]") {
    checked_loop loop;
    const auto fate_of = [&loop](bool limited) {
        return loop.run([](bool with_limit) -> task<std::string> {
            std::vector<job<>> jobs;
            jobs.push_back(spawn(fails, 1ms, "planned"));
            if (with_limit) co_return co_await fate(ringlet::with_timeout(1s, joinall(jobs)));
            co_return co_await fate(ringlet::as_result(joinall(jobs)));
        }(limited));
    };
    CHECK(fate_of(true) == "planned");
    CHECK(fate_of(false) == "planned");
}

TEST_CASE("joinall without raise throws nothing, and the failures count as seen", "[joinall]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        std::vector<job<>> jobs;
        jobs.push_back(spawn(fails, 2ms, "one"));
        jobs.push_back(spawn(fails, 1ms, "two"));
        const join_options quiet{std::nullopt, 2, false};
        const std::size_t ended = co_await joinall(jobs, quiet);
        CHECK(ended == 2);
    }());
}

TEST_CASE("a failure after joinall's timeout is not counted as seen", "[joinall]") {
    checked_loop loop;
    const auto main = []() -> task<> {
        std::vector<job<>> jobs;
        jobs.push_back(spawn(fails, 5ms, "too late to be seen"));
        const join_options short_time{1ms};
        co_await joinall(jobs, short_time);
        jobs.clear();
        co_await sleep(1h);
    };
    CHECK_THROWS_WITH(loop.run(main()), "too late to be seen");
    CHECK(loop.now() == 5ms);
}

TEST_CASE("a cancelled job is no failure to joinall", "[joinall]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto jobs = three(l);
        jobs[1].cancel();
        const std::size_t ended = co_await joinall(jobs);
        CHECK(ended == 3);
    }(log));
    CHECK(log == "bc");
}

TEST_CASE("cancelling who waits in joinall leaves the jobs running", "[joinall]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto jobs = three(l);
        const auto wait = [](std::vector<job<>>& all) -> task<> {
            const join_options limited{1h};
            co_await joinall(all, limited);
        };
        auto waiter = spawn(wait, std::ref(jobs));
        co_await sleep(15ms);
        waiter.cancel();
        const std::string text = co_await fate(waiter.get());
        CHECK(text == "cancelled");
        CHECK_FALSE(jobs[0].ready());
        co_await joinall(jobs);
    }(log));
    CHECK(log == "abc");
    CHECK(loop.now() == 30ms);
}

TEST_CASE("an outer limit ends joinall with its own timeout, whichever is due first", "[joinall]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto jobs = three(l);
        const join_options longer{15ms};
        const std::string outer = co_await fate(ringlet::with_timeout(5ms, joinall(jobs, longer)));
        CHECK(contains(outer, "joinall: time limit of 5 ms exceeded"));
        const join_options shorter{5ms};
        const std::size_t n = co_await ringlet::with_timeout(50ms, joinall(jobs, shorter));
        CHECK(n == 1);
        co_await joinall(jobs);
    }(log));
}

TEST_CASE("joinall takes arrays, spans and nothing at all", "[joinall]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        std::array<job<>, 2> pair{spawn(naps, 1ms, std::ref(l), 'x'), spawn(naps, 2ms, std::ref(l), 'y')};
        std::span<job<>> first{pair.data(), 1};
        const std::size_t one = co_await joinall(first);
        CHECK(one == 1);
        const std::size_t two = co_await joinall(pair);
        CHECK(two == 2);
        std::vector<job<>> none;
        const std::size_t zero = co_await joinall(none);
        CHECK(zero == 0);
    }(log));
    CHECK(log == "xy");
}
