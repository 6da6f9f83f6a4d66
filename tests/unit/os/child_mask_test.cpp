// SPDX-License-Identifier: MIT
// Which signals are blocked in a child, whatever this library blocks where it was started.
#include "os/children.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/os/offload.hpp>
#include <ringlet/os/popen.hpp>
#include <ringlet/os/process.hpp>
#include <ringlet/os/process_pool.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/os/thread.hpp>
#include <ringlet/time/sleep.hpp>

#include <signal.h>

using namespace ringlet;
using namespace ringlet_tests;

namespace {

// The program's own: none but SIGUSR2.
int unlike_the_programs() {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    int wrong = 0;
    for (int number = 1; number < NSIG; ++number) wrong += sigismember(&mask, number) == 1 && number != SIGUSR2 ? 1 : 0;
    return sigismember(&mask, SIGUSR2) == 1 ? wrong : 100;
}

os::popen kill_yourself() { return os::popen{{"sh", "-c", "kill -TERM $$; exit 7"}}; }

// A child of each kind: how many end otherwise than they should.
task<int> wrong_children() {
    os::process forked = os::process::start(unlike_the_programs);
    const int blocked = co_await forked.join();
    os::popen program = kill_yourself();
    const int ended_by = co_await program.join();
    os::process_pool pool{1};
    auto asked = pool.apply_async<unlike_the_programs>();
    const int in_a_worker = co_await asked.get();
    pool.close();
    co_await pool.join();
    co_return (blocked == 0 ? 0 : 1) + (ended_by == -SIGTERM ? 0 : 1) + (in_a_worker == 0 ? 0 : 1);
}

task<int> wrong_children_of_threads() {
    os::thread inner{wrong_children};
    const int there = co_await inner.join();
    const int here = co_await wrong_children();
    auto waiting = spawn([]() -> task<> { co_await until_signal(SIGTERM); });
    co_await yield();
    const int while_waiting = co_await wrong_children();
    waiting.cancel();
    co_await waiting.join();
    const int afterwards = co_await wrong_children();
    co_return there + here + while_waiting + afterwards;
}

task<> started_from_threads() {
    const int before = co_await wrong_children();
    CHECK(before == 0);
    os::thread outer{wrong_children_of_threads};
    const int wrong = co_await outer.join();
    CHECK(wrong == 0);
}

task<> started_from_the_pool() {
    // The pool's thread starts while a signal is blocked for who waits for it.
    auto waiting = spawn([]() -> task<> { co_await until_signal(SIGTERM); });
    co_await yield();
    os::popen program = co_await offload(kill_yourself);
    const int ended_by = co_await program.join();
    CHECK(ended_by == -SIGTERM);
    waiting.cancel();
    co_await waiting.join();
    auto fork_there = [] { return os::process::start(unlike_the_programs); };
    os::process forked = co_await offload(fork_there);
    const int blocked = co_await forked.join();
    CHECK(blocked == 0);
}

// A program that has blocked SIGUSR2 before it runs a loop.
class usr2_blocked {
public:
    usr2_blocked() {
        const os::signal_set usr2{SIGUSR2};
        pthread_sigmask(SIG_BLOCK, &usr2.bits(), &before_);
    }
    usr2_blocked(const usr2_blocked&) = delete;
    usr2_blocked& operator=(const usr2_blocked&) = delete;
    ~usr2_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

}  // namespace

TEST_CASE("children started from a thread have the program's signal mask", "[os][process][thread]") {
    const no_children_left check;
    const usr2_blocked program;
    run(started_from_threads);
}
TEST_CASE("children started from an offloaded call have the program's signal mask", "[os][process][offload]") {
    const no_children_left check;
    const usr2_blocked program;
    run(started_from_the_pool);
}
