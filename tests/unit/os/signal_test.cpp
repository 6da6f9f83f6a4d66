// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/time/sleep.hpp>

#include <liburing.h>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ringlet;
using namespace ringlet_tests;

namespace {

bool is_blocked(int number) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return sigismember(&mask, number) == 1;
}

task<> comes_while_waiting() {
    auto waiting = spawn([]() -> task<int> { co_return co_await until_signal(SIGUSR1, SIGUSR2); });
    co_await yield();
    CHECK(is_blocked(SIGUSR1));
    CHECK(is_blocked(SIGUSR2));
    CHECK_FALSE(is_blocked(SIGTERM));
    ::kill(::getpid(), SIGUSR2);
    const int got = co_await waiting.get();
    CHECK(got == SIGUSR2);
    CHECK_FALSE(is_blocked(SIGUSR1));
    CHECK_FALSE(is_blocked(SIGUSR2));
}

task<> several_waiters() {
    auto both = []() -> task<int> { co_return co_await until_signal(SIGUSR1, SIGUSR2); };
    auto one = []() -> task<int> { co_return co_await until_signal(SIGUSR1); };
    auto a = spawn(both);
    auto b = spawn(one);
    auto c = spawn(one);
    co_await sleep(1ms);
    ::kill(::getpid(), SIGUSR1);
    const int first = co_await a.get();
    const int second = co_await b.get();
    const int third = co_await c.get();
    CHECK(first == SIGUSR1);
    CHECK(second == SIGUSR1);
    CHECK(third == SIGUSR1);
    CHECK_FALSE(is_blocked(SIGUSR1));
}

task<> cancelled_wait() {
    auto one = []() -> task<int> { co_return co_await until_signal(SIGUSR1); };
    auto early = spawn(one);
    early.cancel();
    co_await early.join();
    auto waiting = spawn(one);
    co_await sleep(1ms);
    waiting.cancel();
    co_await waiting.join();
    CHECK_FALSE(is_blocked(SIGUSR1));
    co_await first_of(until_signal(SIGUSR1), sleep(1ms));
    CHECK_FALSE(is_blocked(SIGUSR1));
}

task<> blocked_before() {
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
    ::kill(::getpid(), SIGUSR1);  // pending when the wait begins
    const int got = co_await until_signal(SIGUSR1);
    CHECK(got == SIGUSR1);
    CHECK(is_blocked(SIGUSR1));  // as it was before
    pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
}

task<> ignored_meanwhile() {
    const auto before = ::signal(SIGUSR1, SIG_IGN);
    auto waiting = spawn(os::until_one_of, os::signal_set{SIGUSR1, SIGUSR2});
    co_await sleep(1ms);
    CHECK_FALSE(is_blocked(SIGUSR1));
    ::kill(::getpid(), SIGUSR1);
    ::kill(::getpid(), SIGUSR2);
    const int got = co_await waiting.get();
    CHECK(got == SIGUSR2);
    ::signal(SIGUSR1, before);
}

// Two wait; the signal reaches one of them, and the other is cancelled before it can look.
task<> seen_by_one(testing::scripted_engine& engine, bool again) {
    auto seeing = spawn(os::until_one_of, os::signal_set{SIGUSR1});
    auto late = spawn(os::until_one_of, os::signal_set{SIGUSR1});
    co_await sleep(1ms);
    ::kill(::getpid(), SIGUSR1);
    engine.complete(engine.pending_operation(IORING_OP_POLL_ADD).user_data, POLLIN);
    const int got = co_await seeing.get();
    CHECK(got == SIGUSR1);
    CHECK(is_blocked(SIGUSR1));
    if (again) ::kill(::getpid(), SIGUSR1);
    late.cancel();
    const std::string end = co_await fate(late.get());
    CHECK(end == "cancelled");
    CHECK_FALSE(is_blocked(SIGUSR1));
}

// How a child process that runs `body` ends: the signal, or 0.
int signal_that_ends(void (*body)()) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        for (const int number : {SIGINT, SIGUSR1}) ::signal(number, SIG_DFL);  // Catch2 has handlers of its own
        try {
            body();
        } catch (...) {
        }
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

task<> drain_slowly() {
    ::kill(::getpid(), SIGINT);
    co_await until_signal(SIGINT, SIGTERM);
    ::kill(::getpid(), SIGINT);
    co_await sleep(1h);
}

}  // namespace

TEST_CASE("a signal ends the wait for it, and the mask is restored", "[os][signal]") {
    const leak_check leaks;
    run(comes_while_waiting);
}
TEST_CASE("every waiter sees the signal", "[os][signal]") { run(several_waiters); }
TEST_CASE("a cancelled wait restores the mask", "[os][signal]") {
    const leak_check leaks;
    run(cancelled_wait);
}
TEST_CASE("a signal that was blocked before stays so, and one that is pending counts", "[os][signal]") {
    run(blocked_before);
}

TEST_CASE("a signal that the program was started to ignore is not heard", "[os][signal]") { run(ignored_meanwhile); }

TEST_CASE("a second Ctrl-C ends the program at once", "[os][signal]") {
    CHECK(signal_that_ends([] { run(drain_slowly); }) == SIGINT);
}

TEST_CASE("a signal that one waiter saw is over when the others are cancelled", "[os][signal]") {
    checked_loop loop;
    loop.run(seen_by_one(loop.engine(), false));
    CHECK(signal_that_ends([] {
              testing::virtual_loop here;
              here.run(seen_by_one(here.engine(), false));
          }) == 0);
}

TEST_CASE("a second signal from outside is not taken for one that a waiter passed on", "[os][signal]") {
    CHECK(signal_that_ends([] {
              testing::virtual_loop here;
              here.run(seen_by_one(here.engine(), true));
          }) == SIGUSR1);
}
