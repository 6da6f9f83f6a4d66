// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/task_group.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

using namespace ringlet_tests;
using ringlet::event;
using ringlet::spawn;
using ringlet::task;

namespace {

task<> wait_and_note(event& what, char name, std::string& log) {
    co_await what.wait();
    log += name;
}

task<> two_wait_for_one() {
    event what;
    std::string log;
    auto body = [](ringlet::task_group& group, event& e, std::string& l) -> task<> {
        group.spawn(wait_and_note, std::ref(e), 'a', std::ref(l));
        group.spawn(wait_and_note, std::ref(e), 'b', std::ref(l));
        co_await ringlet::sleep(1ms);
        e.set();
    };
    co_await ringlet::with_task_group(body, std::ref(what), std::ref(log));
    if (log != "ab") throw std::logic_error{"not both were woken: " + log};
}

}  // namespace

TEST_CASE("an event wakes all who wait, in their order", "[sync][event]") {
    checked_loop loop;
    event what;
    std::string log;
    loop.run([](event& e, std::string& l) -> task<> {
        auto a = spawn(wait_and_note, std::ref(e), 'a', std::ref(l));
        auto b = spawn(wait_and_note, std::ref(e), 'b', std::ref(l));
        co_await ringlet::sleep(1ms);
        CHECK(l.empty());
        e.set();
        e.clear();  // who was woken goes on all the same
        co_await a.join();
        co_await b.join();
        const std::string late = co_await fate(ringlet::with_timeout(5ms, e.wait()));
        CHECK(contains(late, "an event: time limit of 5 ms exceeded"));
    }(what, log));
    CHECK(log == "ab");
    CHECK(loop.now() == 6ms);
}

TEST_CASE("waiting for an event that is set lets the others run once", "[sync][event]") {
    checked_loop loop;
    event what;
    what.set();
    std::string log;
    loop.run([](event& e, std::string& l) -> task<> {
        auto other = spawn(
            [](std::string& text) -> task<> {
                text += 'o';
                co_return;
            },
            std::ref(l));
        co_await e.wait();
        l += 'm';
        co_await other.join();
    }(what, log));
    CHECK(log == "om");
}

TEST_CASE("an event survives cancellation at every point", "[sync][event]") {
    const auto report =
        ringlet::testing::cancel_everywhere([](ringlet::testing::simulation&) { return two_wait_for_one(); });
    CHECK(report.points > 4);
    CHECK(report.cancelled > 0);
    CHECK(report.failed == 0);
}

TEST_CASE("an event that goes while a job waits aborts", "[sync][event][abort]") {
    CHECK(contains(last_words([] {
                       ringlet::testing::virtual_loop loop;
                       loop.run([]() -> task<> {
                           auto gone = std::make_unique<event>();
                           auto waiter = spawn([](event& e) -> task<> { co_await e.wait(); }, std::ref(*gone));
                           co_await ringlet::yield();
                           gone.reset();
                           co_await waiter.join();
                       }());
                   }),
                   "was destroyed while a job waits for it: cancel and join that job first"));
}
