// SPDX-License-Identifier: MIT
// What run_main prints and returns: each case in a child process whose output is caught.
#include "core/support.hpp"
#include "os/children.hpp"
#include <ringlet/core/task_group.hpp>
#include <ringlet/io/engine.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/os/offload.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/os/thread.hpp>
#include <ringlet/sync/mutex.hpp>
#include <ringlet/time/sleep.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ringlet;
using namespace ringlet_tests;

namespace {

struct outcome {
    int status;
    std::string errors;
};

template <class F>
outcome run_in_child(F body, int standard_output = -1, std::vector<std::string> words = {}) {
    std::array<int, 2> fds{};
    REQUIRE(::pipe(fds.data()) == 0);
    std::fflush(stdout);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        for (const int number : {SIGABRT, SIGSEGV, SIGUSR1}) ::signal(number, SIG_DFL);  // not as Catch has them
        ::dup2(fds[1], 2);
        if (standard_output >= 0) ::dup2(standard_output, 1);
        std::string program = "/some/where/prog";
        std::vector<char*> argv{program.data()};
        for (auto& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        ::_exit(run_main(static_cast<int>(argv.size()) - 1, argv.data(), body));
    }
    ::close(fds[1]);
    outcome got{};
    std::array<char, 512> buffer;
    for (ssize_t n = 0; (n = ::read(fds[0], buffer.data(), buffer.size())) > 0;)
        got.errors.append(buffer.data(), static_cast<std::size_t>(n));
    ::close(fds[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    got.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return got;
}

task<> sleep_long() { co_await sleep(1h); }

task<> asked_for_its_jobs(arguments) {
    auto sleeper = spawn(sleep_long);
    sleeper.set_name("sleeper");
    co_await yield();
    ::raise(SIGUSR1);
    co_await sleep(1ms);  // a turn of the loop has ended: a yield may come back within the same one
    sleeper.cancel();
    co_await sleeper.join();
}

// What wakes it is its own report: nothing else happens.
task<> waits_for_its_report(arguments) {
    std::array<int, 2> fds{};
    const io::owned_fd errors{::fcntl(2, F_DUPFD_CLOEXEC, 3)};
    if (::pipe(fds.data()) != 0 || ::dup2(fds[1], 2) < 0) co_return;
    const io::owned_fd report{fds[0]};
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    timer_t timer{};
    itimerspec soon{};
    soon.it_value.tv_nsec = 20'000'000;
    if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || ::timer_settime(timer, 0, &soon, nullptr) != 0)
        co_return;
    std::array<std::byte, 4096> text;
    std::size_t bytes = co_await io::read_op{report, text};
    ::fcntl(report.get(), F_SETFL, O_NONBLOCK);  // the report is in the pipe; what is left came with what was read
    for (ssize_t more = 0; (more = ::read(report.get(), text.data() + bytes, text.size() - bytes)) > 0;)
        bytes += static_cast<std::size_t>(more);
    ::dup2(errors.get(), 2);
    std::fwrite(text.data(), 1, bytes, stderr);
}

task<> lock_and_sleep(mutex& lock) {
    const auto held = co_await lock.lock();
    co_await sleep_long();
}
task<> lock_once(mutex& lock) { const auto held = co_await lock.lock(); }
task<> read_for_ever(int fd) {
    std::array<std::byte, 1> byte{};
    co_await io::read_op{io::fd_ref{fd}, byte};
}
task<> wait_for_a_child() {
    co_await with_task_group([](task_group& group) -> task<> {
        group.spawn(sleep_long).set_name("child");
        co_return;
    });
}

constexpr int fd_of_reader = 77;
task<> crashes(arguments) {
    std::array<int, 2> fds{};
    if (::pipe(fds.data()) != 0 || ::dup2(fds[0], fd_of_reader) < 0) co_return;
    mutex lock;
    auto parent = spawn(wait_for_a_child);
    parent.set_name("parent");
    auto holder = spawn(lock_and_sleep, std::ref(lock));
    auto waiter = spawn(lock_once, std::ref(lock));
    waiter.set_name("waiter");
    auto reader = spawn(read_for_ever, fd_of_reader);
    reader.set_name("reader");
    co_await sleep(150ms);
    auto late = spawn(sleep_long);
    late.set_name("late");
    std::abort();
}

std::size_t count_of(const std::string& text, std::string_view part) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++n;
    return n;
}

constexpr std::string_view mine = "mine: waits for sleep";
constexpr std::string_view threads = "the thread's: waits for sleep";

// Another thread asks twice, each time when both loops sleep, and reads what they print.
task<> sleeps_until_told(const raw_pipe& ready, const raw_pipe& end, std::string name) {
    auto sleeper = spawn(sleep_long);
    sleeper.set_name(std::move(name));
    co_await yield();
    ready.say('r');
    co_await said(end);
    sleeper.cancel();
    co_await sleeper.join();
}

void ask_twice(const raw_pipe& ready, const raw_pipe& end, const raw_pipe& report, std::string& text) {
    const os::signal_set usr1{SIGUSR1};
    pthread_sigmask(SIG_BLOCK, &usr1.bits(), nullptr);
    for (int i = 0; i < 2; ++i) ready.wait();
    for (std::size_t asked = 1; asked <= 2; ++asked) {
        ::kill(::getpid(), SIGUSR1);
        pollfd more{report.out.get(), POLLIN, 0};
        while ((count_of(text, mine) < asked || count_of(text, threads) < asked) && ::poll(&more, 1, 10'000) == 1)
            text += report.wait();
    }
    for (int i = 0; i < 2; ++i) end.say('e');
}

task<> two_loops_report(arguments) {
    raw_pipe ready;
    raw_pipe end;
    raw_pipe report;
    std::string text;
    const io::owned_fd errors{::fcntl(2, F_DUPFD_CLOEXEC, 3)};
    ::dup2(report.in.get(), 2);
    std::thread asks{ask_twice, std::cref(ready), std::cref(end), std::cref(report), std::ref(text)};
    os::thread other{sleeps_until_told, std::cref(ready), std::cref(end), std::string{"the thread's"}};
    co_await sleeps_until_told(ready, end, "mine");
    co_await other.join();
    asks.join();
    ::dup2(errors.get(), 2);
    std::fwrite(text.data(), 1, text.size(), stderr);
}

// Whoever is asked while a loop goes away writes to nothing else: the pipe that takes the number of its eventfd stays empty.
task<> loops_go_while_asked(arguments) {
    const io::owned_fd errors{::fcntl(2, F_DUPFD_CLOEXEC, 3)};
    const io::owned_fd nobody{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    ::dup2(nobody.get(), 2);
    std::atomic<bool> ending = false;
    std::thread asks{[&ending] {
        while (!ending) ::raise(SIGUSR1);
    }};
    int strays = 0;
    for (int i = 0; i < 100; ++i) {
        os::thread other{[]() -> task<> { co_await yield(); }};
        co_await other.join();
        const raw_pipe in_its_place;
        ::fcntl(in_its_place.out.get(), F_SETFL, O_NONBLOCK);
        std::this_thread::sleep_for(50us);
        char got = 0;
        if (::read(in_its_place.out.get(), &got, 1) != -1) ++strays;
    }
    ending = true;
    asks.join();
    ::dup2(errors.get(), 2);
    if (strays != 0) std::fputs("strays\n", stderr);
}

// No page is there, and no sanitizer minds.
void fault() {
    void* const page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile char*>(page) = 1;
}
// NOLINTNEXTLINE(misc-no-recursion): it is to overflow the stack
int overflow(int depth) {
    std::array<volatile char, 65536> here;
    here.front() = static_cast<char>(depth);
    return depth > 1'000'000 ? 0 : overflow(depth + 1) + here.front();
}

task<> crash_beside_a_sleeper(bool by_overflow) {
    auto sleeper = spawn(sleep_long);
    sleeper.set_name("sleeper");
    co_await yield();
    if (by_overflow)
        std::exit(overflow(0));
    else
        fault();
}

task<> crashes_in_a_thread(arguments words) {
    os::thread other{crash_beside_a_sleeper, words.size() > 0};
    co_await other.join();
}

task<> crashes_in_the_pool(arguments words) {
    if (words.size() > 0)
        ::signal(SIGSEGV, [](int) {
            [[maybe_unused]] const auto written = ::write(2, "mine\n", 5);
            ::_exit(3);
        });
    co_await offload(fault);
}

task<> nothing(arguments) { co_return; }
task<int> count(arguments words) { co_return static_cast<int>(words.size()); }
task<int> check_words(arguments words) {
    co_await yield();
    const bool right =
        words.program() == "prog" && words.size() == 2 && words[0] == "-a" && *(words.begin() + 1) == "b c";
    co_return right ? 17 : 1;
}
task<> fail(arguments) { throw std::runtime_error{"it broke"}; }
task<> misuse(arguments words) { throw usage_error{"unknown option '" + words[0] + "'"}; }
task<> unavailable(arguments) {
    throw io::engine_unavailable{EPERM, std::generic_category(), "io_uring is not available here: because"};
}
task<> end_cancelled(arguments) { throw cancelled{}; }
task<> throw_odd(arguments) { throw 7; }
task<> print(arguments) {
    std::printf("some output\n");
    co_return;
}

task<char> read_one(int fd) {
    std::array<std::byte, 1> byte{};
    co_await io::read_op{io::fd_ref{fd}, byte};
    co_return static_cast<char>(byte.front());
}

[[noreturn]] void run_and_exit() {
    int status = 9;
    try {
        run([]() -> task<> { co_await sleep(1ms); });
        status = 0;
    } catch (...) {
    }
    ::_exit(status);
}

task<> fork_with_a_request_in_flight() {
    std::array<int, 2> fds{};
    REQUIRE(::pipe2(fds.data(), O_CLOEXEC) == 0);
    const io::owned_fd out{fds[0]};
    const io::owned_fd in{fds[1]};
    auto reading = spawn(read_one, out.get());
    co_await sleep(1ms);
    const pid_t child = ::fork();
    if (child == 0) run_and_exit();
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    CHECK(::write(in.get(), "x", 1) == 1);
    const char got = co_await reading.get();
    CHECK(got == 'x');
}

}  // namespace

TEST_CASE("run_main gives the task's value, or 0", "[os][main]") {
    CHECK(run_in_child(nothing).status == 0);
    CHECK(run_in_child(count, -1, {"x", "y", "z"}).status == 3);
    CHECK(run_in_child(check_words, -1, {"-a", "b c"}).status == 17);
}

TEST_CASE("run_main calls a function that is no coroutine without a loop, so that it can run its own", "[os][main]") {
    const outcome two_loops = run_in_child(
        [](arguments words) {
            if (ringlet::detail::this_thread_scheduler || words.size() != 2)
                throw std::logic_error{"not as it should be"};
            for (int i = 0; i < 2; ++i) ringlet::run(count, words);
        },
        -1, {"x", "y"});
    CHECK(two_loops.status == 0);
    CHECK(two_loops.errors.empty());
    const outcome broken = run_in_child([](arguments) { throw std::runtime_error{"it broke"}; });
    CHECK(broken.status == 1);
    CHECK(broken.errors == "prog: it broke\n");
}

TEST_CASE("run_main prints what went wrong after the program's name", "[os][main]") {
    const outcome broken = run_in_child(fail);
    CHECK(broken.status == 1);
    CHECK(broken.errors == "prog: it broke\n");
    const outcome odd = run_in_child(throw_odd);
    CHECK(odd.status == 1);
    CHECK(odd.errors == "prog: an exception of unknown type\n");
    const outcome denied = run_in_child(unavailable);
    CHECK(denied.status == 1);
    CHECK(denied.errors.starts_with("prog: io_uring is not available here: because"));
}

TEST_CASE("wrong usage points to --help and exits with 2", "[os][main]") {
    const outcome got = run_in_child(misuse, -1, {"--nosuch"});
    CHECK(got.status == 2);
    CHECK(got.errors == "prog: unknown option '--nosuch'\nTry 'prog --help' for more information.\n");
}

TEST_CASE("a main task that was cancelled exits with 130, silently", "[os][main]") {
    const outcome got = run_in_child(end_cancelled);
    CHECK(got.status == 130);
    CHECK(got.errors.empty());
}

TEST_CASE("output that cannot be written is a failure, a reader that left is not one to talk about", "[os][main]") {
    const io::owned_fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    const outcome no_space = run_in_child(print, full.get());
    CHECK(no_space.status == 1);
    CHECK(no_space.errors == "prog: cannot write to standard output: No space left on device\n");
    std::array<int, 2> fds{};
    REQUIRE(::pipe(fds.data()) == 0);
    ::close(fds[0]);
    const outcome no_reader = run_in_child(print, fds[1]);
    ::close(fds[1]);
    CHECK(no_reader.status == 141);
    CHECK(no_reader.errors.empty());
}

TEST_CASE("closed standard streams do not go to what is opened first", "[os][main]") {
    std::array<io::owned_fd, 3> kept;
    for (int fd = 0; fd < 3; ++fd) kept[static_cast<std::size_t>(fd)] = io::owned_fd{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
    for (int fd = 0; fd < 3; ++fd) ::close(fd);
    os::detail::open_standard_streams();
    bool all_there = true;
    for (int fd = 0; fd < 3; ++fd) {
        all_there = all_there && ::fcntl(fd, F_GETFD) >= 0;
        ::close(fd);
        if (const int before = kept[static_cast<std::size_t>(fd)].get(); before >= 0) ::dup2(before, fd);
    }
    CHECK(all_there);
}

TEST_CASE("run takes a function with its arguments, references too", "[os][main]") {
    int seen = 0;
    auto note = [](int& into, std::string text) -> task<std::size_t> {
        into = 1;
        co_return text.size();
    };
    CHECK(run(note, std::ref(seen), std::string{"four"}) == 4);
    CHECK(seen == 1);
    CHECK_THROWS_WITH(run([]() -> task<> { throw std::runtime_error{"out"}; }), "out");
}

TEST_CASE("a child forked within a job can run a loop of its own, and the parent's goes on", "[os][main]") {
    const leak_check leaks;
    run(fork_with_a_request_in_flight);
}

TEST_CASE("SIGUSR1 makes a program print its jobs, and it goes on", "[run_main]") {
    const outcome got = run_in_child(asked_for_its_jobs);
    CAPTURE(got.errors);
    CHECK(got.status == 0);
    CHECK(contains(got.errors, "ringlet: the jobs of this loop:"));
    CHECK(contains(got.errors, "sleeper: waits for sleep at "));
    CHECK(contains(got.errors, "sleep_long"));
}

TEST_CASE("SIGUSR1 wakes a program in which nothing else happens", "[run_main]") {
    const outcome got = run_in_child(waits_for_its_report);
    CAPTURE(got.errors);
    CHECK(got.status == 0);
    CHECK(contains(got.errors, ": waits for read "));
}

TEST_CASE("SIGUSR1 makes each loop of a program print its jobs, once", "[run_main][thread]") {
    const outcome got = run_in_child(two_loops_report);
    CAPTURE(got.errors);
    CHECK(got.status == 0);
    CHECK(count_of(got.errors, mine) == 2);
    CHECK(count_of(got.errors, threads) == 2);
}

TEST_CASE("loops come and go while a program is asked for its jobs", "[run_main][thread]") {
    const outcome got = run_in_child(loops_go_while_asked);
    CHECK(got.status == 0);
    CHECK(!contains(got.errors, "strays"));  // there may be a last report
}

TEST_CASE("a crash prints the jobs in short, and is a crash still", "[run_main]") {
    const outcome got = run_in_child(crashes);
    CAPTURE(got.errors);
    CHECK(got.status == -1);
    CHECK(contains(got.errors, "  job 0x"));
    CHECK(contains(got.errors, ": runs\n"));
    CHECK(contains(got.errors, "  late: not started\n"));
    CHECK(contains(got.errors, "  reader: waits for read fd 77 for 0."));
    CHECK(contains(got.errors, "read_for_ever\n"));
    // A job under the one that made its group, and the awaits of each.
    const std::size_t parent = got.errors.find("\n  parent: waits for the end of its children for 0.");
    const std::size_t child = got.errors.find("\n    child: waits for sleep for 0.");
    REQUIRE(child != got.errors.npos);
    CHECK(parent < child);
    CHECK(contains(got.errors.substr(parent, child - parent), "\n      from "));
    CHECK(contains(got.errors.substr(parent, child + 1 - parent), "wait_for_a_child\n"));
    // It has no name, but the words by which it is listed.
    const std::string held = "waiter: waits for a mutex held by job 0x";
    const std::size_t named = got.errors.find(held);
    REQUIRE(named != got.errors.npos);
    const std::size_t begin = named + held.size() - std::string_view{"job 0x"}.size();
    const std::string holder = got.errors.substr(begin, got.errors.find(' ', begin + 4) - begin);
    CHECK(contains(got.errors, "\n  " + holder + ": waits for sleep for 0."));
    CHECK(contains(got.errors, "lock_and_sleep\n"));
}

TEST_CASE("a crash in a thread prints the jobs of its loop", "[run_main][thread]") {
    for (const auto& words : {std::vector<std::string>{}, std::vector<std::string>{"overflow"}}) {
        const outcome got = run_in_child(crashes_in_a_thread, -1, words);
        CAPTURE(got.errors, words.size());
        CHECK(got.status == -1);
        CHECK(contains(got.errors, "sleeper: waits for sleep"));
        CHECK(contains(got.errors, ": runs\n"));
    }
}

TEST_CASE("a crash in an offloaded call is reported, or goes to the program's handler", "[run_main][offload]") {
    const outcome got = run_in_child(crashes_in_the_pool);
    CAPTURE(got.errors);
    CHECK(got.status == -1);
    CHECK(got.errors == "ringlet: a crash in a thread that runs no loop\n");
    const outcome own = run_in_child(crashes_in_the_pool, -1, {"own"});
    CHECK(own.status == 3);
    CHECK(own.errors == "mine\n");
}
