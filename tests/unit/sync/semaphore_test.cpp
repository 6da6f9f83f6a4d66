// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/task_group.hpp>
#include <ringlet/sync/semaphore.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <functional>
#include <stdexcept>
#include <string>

using namespace ringlet_tests;
using ringlet::bounded_semaphore;
using ringlet::semaphore;
using ringlet::spawn;
using ringlet::task;

namespace {

task<> work(semaphore& permits, int& now, int& most) {
    co_await permits.acquire();
    most = std::max(most, ++now);
    struct give_back {
        semaphore& to;
        int& count;
        ~give_back() {
            --count;
            to.release();
        }
    };
    const give_back at_end{permits, now};
    co_await ringlet::sleep(1ms);
}

task<> five_by_two() {
    bounded_semaphore permits{2};
    int now = 0;
    int most = 0;
    std::exception_ptr failure;
    auto body = [](ringlet::task_group& group, semaphore& s, int& n, int& m) -> task<> {
        for (int i = 0; i < 5; ++i) group.spawn(work, std::ref(s), std::ref(n), std::ref(m));
        co_return;
    };
    try {
        co_await ringlet::with_task_group(body, std::ref<semaphore>(permits), std::ref(now), std::ref(most));
    } catch (...) {
        failure = std::current_exception();
    }
    if (most > 2 || permits.available() != 2) throw std::logic_error{"a permit was lost, or one too many given"};
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

TEST_CASE("no more jobs go on than there are permits", "[sync][semaphore]") {
    checked_loop loop;
    loop.run(five_by_two());
    CHECK(loop.now() == 3ms);
}

TEST_CASE("permits go to those who wait longest", "[sync][semaphore]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        semaphore permits{0};
        auto wait = [](semaphore& s, char name, std::string& text) -> task<> {
            co_await s.acquire();
            text += name;
        };
        auto a = spawn(wait, std::ref(permits), 'a', std::ref(l));
        auto b = spawn(wait, std::ref(permits), 'b', std::ref(l));
        auto c = spawn(wait, std::ref(permits), 'c', std::ref(l));
        co_await ringlet::yield();
        permits.release(2);
        CHECK_FALSE(permits.try_acquire());  // they are taken already
        b.cancel();                          // too late: b has its permit
        co_await a.join();
        co_await b.join();
        CHECK(l == "ab");
        const std::string late = co_await fate(ringlet::with_timeout(1ms, permits.acquire()));
        CHECK(contains(late, "a semaphore: time limit of 1 ms exceeded"));
        permits.release(2);
        co_await c.join();
        CHECK(permits.available() == 1);
        CHECK(permits.try_acquire());
    }(log));
    CHECK(log == "abc");
}

TEST_CASE("releasing a bounded semaphore too often throws and gives nothing", "[sync][semaphore]") {
    bounded_semaphore permits{2};
    CHECK_THROWS_AS(permits.release(), std::logic_error);
    CHECK(permits.try_acquire());
    CHECK_THROWS_AS(permits.release(2), std::logic_error);
    CHECK(permits.available() == 1);
    permits.release();
    CHECK(permits.available() == 2);
    semaphore unbounded{1};
    unbounded.release(5);
    CHECK(unbounded.available() == 6);
}

TEST_CASE("no permit is lost by a cancellation or failure at any point", "[sync][semaphore]") {
    const auto scenario = [](ringlet::testing::simulation&) { return five_by_two(); };
    const auto cancelled = ringlet::testing::cancel_everywhere(scenario);
    CHECK(cancelled.points > 6);
    CHECK(cancelled.failed == 0);
    CHECK(ringlet::testing::fail_everywhere(scenario).points > 0);
}
