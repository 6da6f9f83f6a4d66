// SPDX-License-Identifier: MIT
// The stack stays bounded: neither long loops of awaits that end at once nor deep nests of them may overflow 8 MiB.
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <stdexcept>
#include <string>

#include <pthread.h>

using namespace ringlet_tests;
using ringlet::task;

namespace {

constexpr int loop_length = 5'000'000;
constexpr int depth = 100'000;
constexpr int group_depth = 20'000;  // a job, its block and a group each

task<int> at_once(int n) { co_return n; }
task<long> sum_of(int count) {
    long sum = 0;
    for (int i = 0; i < count; ++i) sum += co_await at_once(i);
    co_return sum;
}
task<int> nested(int n) {
    if (n == 0) co_return 0;
    const int below = co_await nested(n - 1);
    co_return below + 1;
}
task<int> nested_late(int n) {
    if (n == 0) {
        co_await ringlet::sleep(1ms);
        co_return 0;
    }
    const int below = co_await nested_late(n - 1);
    co_return below + 1;
}
task<int> nested_failure(int n, bool late) {
    if (n == 0) {
        if (late) co_await ringlet::sleep(1ms);
        throw std::runtime_error{"from below"};
    }
    const int below = co_await nested_failure(n - 1, late);
    co_return below + 1;
}
task<> nested_groups(int n) {
    if (n == 0)
        co_await ringlet::sleep(1h);
    else
        co_await ringlet::when_all(nested_groups(n - 1));
}
task<> nested_limits(int n) {
    if (n == 0)
        co_await ringlet::sleep(1h);
    else
        co_await ringlet::with_timeout(1ms, nested_limits(n - 1));
}

/// Runs `function` on a thread whose stack is 8 MiB whatever the limits of this process are.
void on_8_mib(void (*function)()) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, std::size_t{8} << 20);
    pthread_t thread;
    const auto run = [](void* f) -> void* {
        reinterpret_cast<void (*)()>(f)();
        return nullptr;
    };
    REQUIRE(pthread_create(&thread, &attributes, run, reinterpret_cast<void*>(function)) == 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
}

std::string text_of(void (*function)()) {
    try {
        function();
        return "no exception";
    } catch (const std::exception& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("five million awaits that complete at once need no more stack than one", "[task][deep]") {
    on_8_mib([] {
        checked_loop loop;
        CHECK(loop.run(sum_of(loop_length)) == long{loop_length} * (loop_length - 1) / 2);
    });
}

TEST_CASE("a hundred thousand nested awaits give their value, at once or late", "[task][deep]") {
    on_8_mib([] {
        checked_loop loop;
        CHECK(loop.run(nested(depth)) == depth);
        CHECK(loop.run(nested_late(depth)) == depth);
    });
}

TEST_CASE("an exception passes through a hundred thousand nested awaits", "[task][deep]") {
    on_8_mib([] {
        CHECK(text_of([] {
                  checked_loop loop;
                  loop.run(nested_failure(depth, false));
              }) == "from below");
        CHECK(text_of([] {
                  checked_loop loop;
                  loop.run(nested_failure(depth, true));
              }) == "from below");
    });
}

TEST_CASE("a cancellation passes through a hundred thousand nested awaits", "[task][deep]") {
    on_8_mib([] {
        checked_loop loop;
        loop.run([]() -> task<> {
            auto job = ringlet::spawn(nested_late, depth);
            co_await ringlet::yield();
            job.cancel();
            const std::string text = co_await fate(job.get());
            CHECK(text == "cancelled");
        }());
    });
}

TEST_CASE("cancelling a deep nest of groups needs no stack for each level", "[group][deep]") {
    // Each group passed the request on to its children within the parent's call: 20,000 levels overflowed the stack.
    on_8_mib([] {
        checked_loop loop;
        loop.run([]() -> task<> {
            auto job = ringlet::spawn(nested_groups, group_depth);
            co_await ringlet::sleep(1ms);
            job.cancel();
            const std::string text = co_await fate(job.get());
            CHECK(text == "cancelled");
        }());
        CHECK(loop.now() == 1ms);
    });
}

TEST_CASE("a thousand nested limits that are due together end as one", "[timeout][deep]") {
    on_8_mib([] {
        checked_loop loop;
        CHECK(contains(loop.run(fate(nested_limits(1000))), "limit of 1 ms exceeded"));
        CHECK(loop.now() == 1ms);
    });
}
