// SPDX-License-Identifier: MIT
// What the language cannot refuse aborts, and the text says what to do.
#include "core/support.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>

#include <functional>
#include <optional>
#include <thread>
#include <vector>

using namespace ringlet_tests;
using ringlet::job;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;

namespace {

task<> nap() { co_await sleep(1ms); }

template <class F>
void in_loop(F main) {
    ringlet::testing::virtual_loop loop;
    loop.run(main());
}

}  // namespace

TEST_CASE("awaiting an operation twice aborts", "[abort]") {
    CHECK(contains(last_words([] {
                       in_loop([]() -> task<> {
                           ringlet::io::nop_op op;
                           co_await std::move(op);
                           co_await std::move(op);
                       });
                   }),
                   "an operation was awaited twice: make a new one for each await"));
}

TEST_CASE("awaiting a task twice aborts, whether it has ended or not", "[abort]") {
    CHECK(contains(last_words([] {
                       in_loop([]() -> task<> {
                           auto t = nap();
                           co_await std::move(t);
                           co_await std::move(t);
                       });
                   }),
                   "a task was awaited twice"));
    CHECK(contains(last_words([] {
                       in_loop([]() -> task<> {
                           auto t = nap();
                           const auto await = [](task<>& shared) -> task<> { co_await std::move(shared); };
                           auto first = spawn(await, std::ref(t));
                           auto second = spawn(await, std::ref(t));
                           co_await first.join();
                           co_await second.join();
                       });
                   }),
                   "a task was awaited twice"));
    CHECK(contains(last_words([] {
                       in_loop([]() -> task<> {
                           auto t = nap();
                           const auto moved = std::move(t);
                           co_await std::move(t);
                       });
                   }),
                   "a task was awaited twice"));
}

TEST_CASE("destroying a task that nobody awaited aborts", "[abort]") {
    CHECK(contains(last_words([] {
                       in_loop([]() -> task<> {
                           {
                               [[maybe_unused]] auto forgotten = nap();
                           }
                           co_return;
                       });
                   }),
                   "a task was destroyed without having been awaited or spawned"));
}

TEST_CASE("a task that dies unawaited because an exception passes is no mistake", "[abort]") {
    checked_loop loop;
    CHECK(loop.run(fate([]() -> task<> {
        auto never = nap();
        throw std::runtime_error{"before"};
        co_await std::move(never);
    }())) == "before");
}

TEST_CASE("two joiners of one job abort", "[abort]") {
    CHECK(contains(last_words([] {
                       in_loop([]() -> task<> {
                           auto shared = spawn(nap);
                           const auto join = [](job<>& j) -> task<> { co_await j.join(); };
                           auto first = spawn(join, std::ref(shared));
                           auto second = spawn(join, std::ref(shared));
                           co_await first.join();
                           co_await second.join();
                       });
                   }),
                   "two jobs join the same job"));
}

TEST_CASE("a job that joins itself aborts", "[abort]") {
    CHECK(contains(last_words([] {
                       in_loop([]() -> task<> {
                           std::optional<job<>> self;
                           self =
                               spawn([](std::optional<job<>>& me) -> task<> { co_await me->join(); }, std::ref(self));
                           co_await sleep(1ms);
                       });
                   }),
                   "a job cannot join itself"));
}

TEST_CASE("taking a job's value twice aborts", "[abort]") {
    CHECK(contains(last_words([] {
                       in_loop([]() -> task<> {
                           auto j = spawn([]() -> task<int> { co_return 1; });
                           co_await j.get();
                           co_await j.get();
                       });
                   }),
                   "the value of a job was taken twice"));
}

TEST_CASE("joining a job of another loop aborts", "[abort]") {
    CHECK(contains(last_words([] {
                       in_loop([]() -> task<> {
                           auto j = spawn(nap);
                           std::thread other{[&] {
                               in_loop([&]() -> task<> {
                                   return [](job<>& theirs) -> task<> { co_await theirs.join(); }(j);
                               });
                           }};
                           other.join();
                           co_await j.join();
                       });
                   }),
                   "a job can only be joined from the loop it runs in"));
}

TEST_CASE("using a handle that was moved from aborts", "[abort]") {
    CHECK(contains(last_words([] {
                       in_loop([]() -> task<> {
                           auto j = spawn(nap);
                           auto k = std::move(j);
                           co_await j.join();
                           co_await k.join();
                       });
                   }),
                   "this job handle was moved from: use the one that it was moved to"));
}

TEST_CASE("spawning without a loop aborts", "[abort]") {
    CHECK(contains(last_words([] { auto j = spawn(nap); }), "no ringlet loop runs on this thread"));
}

TEST_CASE("running a loop inside a loop aborts", "[abort]") {
    CHECK(contains(last_words([] {
                       in_loop([]() -> task<> {
                           in_loop(nap);
                           co_return;
                       });
                   }),
                   "a loop runs on this thread already"));
}

TEST_CASE("taking the value of a result that holds an error aborts", "[abort]") {
    CHECK(contains(last_words([] {
                       ringlet::result<int> r{std::make_error_code(std::errc::io_error)};
                       [[maybe_unused]] volatile int n = *r;
                   }),
                   "this result holds an error"));
}
