// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/os/offload.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <signal.h>

using namespace ringlet;
using namespace ringlet_tests;

namespace {

int add(int a, int b) { return a + b; }

task<> values() {
    const int sum = co_await offload(add, 20, 22);
    CHECK(sum == 42);
    const auto here = std::this_thread::get_id();
    const auto there = co_await offload([] { return std::this_thread::get_id(); });
    CHECK(here != there);
    int touched = 0;
    co_await offload([](int* t) { *t = 1; }, &touched);
    CHECK(touched == 1);
    // Move-only values go there and back.
    auto box = std::make_unique<int>(7);
    auto back = co_await offload([](std::unique_ptr<int> b) { return b; }, std::move(box));
    CHECK(*back == 7);
    const int blocked = co_await offload([] {
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        return sigismember(&mask, SIGINT);
    });
    CHECK(blocked == 1);
}

task<> failures() {
    const std::string why = co_await fate(offload([]() -> int { throw std::runtime_error{"from there"}; }));
    CHECK(why == "from there");
    auto fails = []() -> int { throw std::system_error{std::make_error_code(std::errc::io_error), "disk"}; };
    const result<int> error = co_await as_result(offload(fails));
    CHECK(error.error() == std::errc::io_error);
}

task<> call_blocking(std::atomic<int>& stage) {
    auto block = [](std::atomic<int>* s) {
        *s = 1;
        while (*s != 2) std::this_thread::yield();
        *s = 3;
    };
    co_await offload(block, &stage);
    stage = 4;  // a cancellation during the call is raised here at the earliest: by the next await
    co_await yield();
    stage = 5;
}

task<> cancellation() {
    std::atomic<int> stage = 0;
    auto early = spawn(call_blocking, std::ref(stage));
    early.cancel();
    co_await early.join();
    CHECK(stage == 0);
    auto running = spawn(call_blocking, std::ref(stage));
    while (stage != 1) co_await sleep(100us);
    running.cancel();
    co_await sleep(1ms);
    CHECK_FALSE(running.ready());  // the call cannot be stopped: it is waited for
    stage = 2;
    co_await running.join();
    CHECK(stage == 4);
}

task<> wait_for(std::atomic<bool>& open) {
    co_await offload(
        [](std::atomic<bool>* gate) {
            while (!*gate) std::this_thread::yield();
        },
        &open);
}

task<> cancelled_in_the_queue() {
    std::atomic<bool> open = false;
    std::vector<job<>> busy;
    for (std::size_t i = 0; i < io::thread_pool::threads_max; ++i) busy.push_back(spawn(wait_for, std::ref(open)));
    co_await sleep(1ms);
    std::atomic<int> stage = 2;  // a call that would begin would end at once
    auto queued = spawn(call_blocking, std::ref(stage));
    co_await yield();
    queued.cancel();
    co_await queued.join();
    CHECK(stage == 2);
    open = true;
    co_await joinall(busy);
    CHECK(stage == 2);
}

task<> late(std::atomic<int>& stage) {
    auto block = [](std::atomic<int>* s) { s->store(1); };
    co_await with_timeout(10s, offload(block, &stage));
}

task<> many() {
    std::vector<job<int>> jobs;
    auto call = [](int i) -> task<int> { co_return co_await offload(add, i, i); };
    for (int i = 0; i < 1000; ++i) jobs.push_back(spawn(call, i));
    int wrong = 0;
    for (int i = 0; i < 1000; ++i) {
        const int twice = co_await jobs[static_cast<std::size_t>(i)].get();
        wrong += twice == 2 * i ? 0 : 1;
    }
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("offload gives the function's value, from another thread", "[os][offload]") {
    const leak_check leaks;
    run(values);
}
TEST_CASE("an offloaded function's failure is thrown by the await", "[os][offload]") { run(failures); }
TEST_CASE("an offloaded call is not begun once cancelled, and waited for once begun", "[os][offload]") {
    const leak_check leaks;
    run(cancellation);
}
TEST_CASE("an offloaded call that waits for a thread is taken back when cancelled", "[os][offload]") {
    const leak_check leaks;
    run(cancelled_in_the_queue);
}
TEST_CASE("a thousand offloaded calls come back", "[os][offload]") { run(many); }
TEST_CASE("an offloaded call may have a time limit", "[os][offload]") {
    std::atomic<int> stage = 0;
    run(late, std::ref(stage));
    CHECK(stage == 1);
}
