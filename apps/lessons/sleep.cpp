// SPDX-License-Identifier: MIT
// Cooperative sleep: the job sleeps, the thread does not.
//
// time.sleep(1) stops the whole thread. gevent.sleep(1) says "wake me in a second, and run the
// others meanwhile"; here that is co_await ringlet::sleep(1s). A sleep of no time,
// ringlet::yield(), only lets the others have their turn.
//
// (gevent can also make time.sleep behave so, by "monkey patching" Python's library. There is no
// such thing here: what waits says co_await, and everybody can see it.)
//
// The clock is virtual again, see lesson spawn: times are exact, and nothing really waits.

#include <ringlet/core/combinators.hpp>
#include <ringlet/testing/virtual_loop.hpp>
#include <ringlet/time/clock.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/core.h>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using ringlet::testing::virtual_loop;

ringlet::task<> blink(const virtual_loop& loop, std::string colour, std::chrono::milliseconds every) {
    for (int i = 0; i < 3; ++i) {
        co_await ringlet::sleep(every);
        fmt::print("{:4} ms: {}\n", loop.now() / 1ms, colour);
    }
}

ringlet::task<> count(std::string name) {
    for (int i = 1; i <= 3; ++i) {
        fmt::print("{} {}\n", name, i);
        co_await ringlet::yield();  // without it, each would count to the end before the other begins
    }
}

ringlet::task<> lamps(const virtual_loop& loop) {
    co_await ringlet::when_all(blink(loop, "red", 100ms), blink(loop, "green", 250ms));  // both, side by side
}

ringlet::task<> counters() { co_await ringlet::when_all(count("left"), count("right")); }

int main() {
    virtual_loop loop;
    loop.run(lamps(loop));
    fmt::print("and now without time:\n");
    loop.run(counters());
}
