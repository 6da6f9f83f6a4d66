// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace ringlet_tests;
using ringlet::cancelled;
using ringlet::job;
using ringlet::shield;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet::yield;

namespace {

task<> note(std::string& log, char name) {
    log += name;
    co_return;
}

/// Awaits of every kind, one after the other; each note says how far it came.
task<> chain(std::string& log) {
    const destruction_note local{log, '.'};
    co_await note(log, 'a');
    co_await sleep(1ms);
    log += 'b';
    co_await yield();
    log += 'c';
    co_await ringlet::io::nop_op{};
    log += 'd';
    auto child = spawn([]() -> task<> { co_await sleep(1ms); });
    co_await child.join();
    log += 'e';
    co_await ringlet::when_all(sleep(1ms), sleep(2ms));
    log += 'f';
    co_await [](std::string& l) -> task<> {
        const destruction_note inner{l, ','};
        co_await sleep(1ms);
    }(log);
    log += 'g';
}

/// Cancels a job that runs `function(log)` after it has been resumed `turns` times by yields of the canceller.
template <class F>
std::string cancelled_after(int turns, F function) {
    checked_loop loop;
    std::string log;
    loop.run([](F f, std::string& l, int n) -> task<> {
        auto j = spawn(f, std::ref(l));
        // A chain's own wait may be for time: sleep for as little as can be instead of yielding.
        for (int i = 0; i < n; ++i) co_await sleep(i % 2 == 0 ? 0ns : 500us);
        j.cancel();
        co_await j.join();
        CHECK(j.ready());
    }(function, log, turns));
    return log;
}

}  // namespace

TEST_CASE("a job cancelled before it starts never runs", "[cancel]") {
    CHECK(cancelled_after(0, chain).empty());
    checked_loop loop;
    loop.run([]() -> task<> {
        auto j = spawn([](counted) -> task<> { co_return; }, counted{1});
        CHECK(counted::alive > 0);
        j.cancel();
        const std::string text = co_await fate(j.get());
        CHECK(text == "cancelled");
        CHECK(counted::alive == 0);
    }());
}

TEST_CASE("a job can be cancelled at each of its awaits, and unwinds", "[cancel]") {
    std::string seen;
    for (int turns = 1; turns < 40; ++turns) {
        const std::string log = cancelled_after(turns, chain);
        CAPTURE(turns, log);
        CHECK(log.back() == '.');
        if (!contains(log, "g")) CHECK((contains(log, "f") == contains(log, ",")));
        for (const char c : log)
            if (c != '.' && c != ',' && !contains(seen, std::string(1, c))) seen += c;
    }
    CHECK(seen == "abcdefg");  // it was stopped after each of them
}

TEST_CASE("cancellation is level-triggered: whatever is caught, the next await raises again", "[cancel]") {
    checked_loop loop;
    int raised = 0;
    const auto stubborn = [](int& count) -> task<int> {
        for (int i = 0; i < 5; ++i) {
            try {
                if (i % 2 == 0)
                    co_await sleep(1h);
                else
                    co_await ringlet::io::nop_op{};
            } catch (...) {
                ++count;
            }
        }
        co_return count;
    };
    loop.run([](auto f, int& count) -> task<> {
        auto j = spawn(f, std::ref(count));
        co_await sleep(1ms);
        j.cancel();
        j.cancel();
        const int value = co_await j.get();  // it may end with a value after all
        CHECK(value == 5);
    }(stubborn, raised));
    CHECK(raised == 5);
    CHECK(loop.now() == 1ms);
    CHECK(loop.engine().submitted().empty());
}

TEST_CASE("catch (const std::exception&) does not see a cancellation", "[cancel]") {
    checked_loop loop;
    bool swallowed = false;
    loop.run([](bool& s) -> task<> {
        auto j = spawn(
            [](bool& flag) -> task<> {
                try {
                    co_await sleep(1h);
                } catch (const std::exception&) {
                    flag = true;
                }
            },
            std::ref(s));
        co_await yield();
        j.cancel();
        const std::string text = co_await fate(j.get());
        CHECK(text == "cancelled");
    }(swallowed));
    CHECK_FALSE(swallowed);
}

TEST_CASE("as_result lets a cancellation pass", "[cancel]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto j = spawn([]() -> task<> {
            auto a = co_await ringlet::as_result(sleep(1h));
            CHECK(a.has_value());
        });
        co_await yield();
        j.cancel();
        const std::string text = co_await fate(j.get());
        CHECK(text == "cancelled");
    }());
}

TEST_CASE("a job that cancels itself is raised at its next await", "[cancel]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        std::optional<job<>> self;
        self = spawn(
            [](std::optional<job<>>& me, std::string& text) -> task<> {
                me->cancel();
                text += 'a';
                co_await note(text, 'b');  // a task that awaits nothing is no cancellation point
                co_await yield();
                text += 'c';
            },
            std::ref(self), std::ref(l));
        co_await self->join();
    }(log));
    CHECK(log == "ab");
}

TEST_CASE("cancelling the joiner leaves the joined job running", "[cancel]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto worker = spawn([]() -> task<int> {
            co_await sleep(5ms);
            co_return 3;
        });
        auto waiter = spawn([](job<int>& w) -> task<> { co_await w.join(); }, std::ref(worker));
        co_await sleep(1ms);
        waiter.cancel();
        co_await waiter.join();
        CHECK_FALSE(worker.ready());
        const int n = co_await worker.get();  // its place is free again
        CHECK(n == 3);
    }());
    CHECK(loop.now() == 5ms);
}

TEST_CASE("a joiner and what it joins can be cancelled in one turn, in either order", "[cancel]") {
    for (const bool joiner_first : {true, false}) {
        checked_loop loop;
        loop.run([](bool first) -> task<> {
            auto worker = spawn([]() -> task<> { co_await sleep(1h); });
            auto waiter = spawn([](job<>& w) -> task<> { co_await w.join(); }, std::ref(worker));
            co_await sleep(1ms);
            (first ? waiter : worker).cancel();
            (first ? worker : waiter).cancel();
            co_await waiter.join();
            co_await worker.join();
        }(joiner_first));
        CHECK(loop.now() == 1ms);
    }
}

TEST_CASE("an end of the joined job and a cancellation of the joiner in one turn lose nothing", "[cancel]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto worker = spawn([]() -> task<int> {
            co_await sleep(1ms);
            co_return 3;
        });
        auto waiter = spawn(
            [](job<int>& w) -> task<int> {
                const int n = co_await w.get();
                CHECK(n == 3);
                co_await yield();  // raises
                co_return n;
            },
            std::ref(worker));
        // Wakes in the same turn as the worker, after it: then the joiner is ready, and cancelled, at once.
        co_await sleep(1ms);
        co_await yield();
        waiter.cancel();
        co_await waiter.join();
        const std::string text = co_await fate(waiter.get());
        CHECK((text == "cancelled" || text == "done"));
    }());
}

TEST_CASE("a shield holds a cancellation back until what it guards has ended", "[cancel]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto j = spawn(
            [](std::string& text) -> task<> {
                co_await shield([](std::string& t) -> task<> {
                    co_await sleep(5ms);
                    co_await yield();
                    t += 's';
                }(text));
                text += 'a';
                co_await shield(sleep(5ms));  // a second one, with the cancellation pending
                text += 'b';
                co_await yield();
                text += 'c';
            },
            std::ref(l));
        co_await sleep(1ms);
        j.cancel();
        const std::string text = co_await fate(j.get());
        CHECK(text == "cancelled");
    }(log));
    CHECK(log == "sab");
    CHECK(loop.now() == 10ms);
}

TEST_CASE("clean-up that awaits runs under a shield after the handler", "[cancel]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto j = spawn(
            [](std::string& text) -> task<> {
                bool stopped = false;
                try {
                    co_await sleep(1h);
                } catch (const cancelled&) {
                    stopped = true;
                }
                if (stopped) {
                    co_await shield(ringlet::io::nop_op{});
                    co_await shield(sleep(2ms));
                    text += "clean";
                    throw cancelled{};
                }
            },
            std::ref(l));
        co_await sleep(1ms);
        j.cancel();
        co_await j.join();
    }(log));
    CHECK(log == "clean");
    CHECK(loop.now() == 3ms);
}

TEST_CASE("what is spawned while its group is being cancelled never runs", "[cancel]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        spawn(
            [](std::string& text) -> task<> {
                try {
                    co_await sleep(1h);
                } catch (const cancelled&) {
                    spawn(note, std::ref(text), 'x');
                    throw;
                }
            },
            std::ref(l));
        co_await yield();
    }(log));
    CHECK(log.empty());
}

TEST_CASE("getting the value of a cancelled job raises its cancellation", "[cancel]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto j = spawn([]() -> task<int> {
            co_await sleep(1h);
            co_return 1;
        });
        co_await yield();
        j.cancel();
        const std::string first = co_await fate(j.get());
        CHECK(first == "cancelled");
        co_await yield();  // and does not cancel who asked
    }());
}
