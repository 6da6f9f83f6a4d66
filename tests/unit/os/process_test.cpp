// SPDX-License-Identifier: MIT
#include "os/children.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/os/offload.hpp>
#include <ringlet/os/popen.hpp>
#include <ringlet/os/process.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace ringlet;
using namespace ringlet_tests;
using os::process;

namespace {

task<int> add(int a, int b) {
    co_await sleep(1ms);
    co_return a + b;
}
task<> nothing() { co_await yield(); }
int plain(int status) { return status; }
int add_at_once(int a, int b) { return a + b; }

task<> stay(raw_pipe& started) {
    started.say('!');
    for (;;) co_await sleep(1h);
}
task<> deaf(raw_pipe& started) {
    ::signal(SIGTERM, SIG_IGN);
    return stay(started);
}

task<> exit_codes() {
    process sum = process::start(add, 20, 22);
    CHECK(sum.pid() > 0);
    process none = process::start(nothing);
    process status = process::start(plain, 7);
    process big = process::start(plain, 256 + 3);
    const int sum_code = co_await sum.join();
    CHECK(sum_code == 42);
    CHECK(sum.exit_code() == 42);
    CHECK_FALSE(sum.running());
    const int again = co_await sum.join();
    CHECK(again == 42);
    const int none_code = co_await none.join();
    CHECK(none_code == 0);
    const int plain_code = co_await status.join();
    CHECK(plain_code == 7);
    const int cut = co_await big.join();
    CHECK(cut == 3);
    sum.terminate();  // nobody: it has ended
}

task<> fail_with_words(raw_pipe& errors) {
    ::dup2(errors.in.get(), 2);
    co_await yield();
    throw std::runtime_error{"it broke"};
}
task<> end_cancelled() {
    co_await yield();
    throw cancelled{};
}

task<> failures() {
    raw_pipe errors;
    process broken = process::start(fail_with_words, std::ref(errors));
    const int code = co_await broken.join();
    CHECK(code == 1);
    errors.in.reset();
    std::string text;
    while (const char c = errors.wait()) text += c;
    CHECK(text == std::string{::program_invocation_short_name} + ": it broke\n");
    process gone = process::start(end_cancelled);
    const int cancelled_code = co_await gone.join();
    CHECK(cancelled_code == 130);
}

task<> signals() {
    raw_pipe started;
    process p = process::start(stay, std::ref(started));
    co_await said(started);
    CHECK(p.running());
    CHECK_FALSE(p.exit_code());
    p.terminate();
    const int terminated = co_await p.join();
    CHECK(terminated == -SIGTERM);

    process hard = process::start(deaf, std::ref(started));
    co_await said(started);
    hard.terminate();
    hard.kill();
    const int killed = co_await hard.join();
    CHECK(killed == -SIGKILL);
}

task<> join_cancelled(process& p) { co_await p.join(); }

task<> waits() {
    raw_pipe started;
    process p = process::start(stay, std::ref(started));
    const std::string late = co_await fate(with_timeout(1ms, p.join()));
    CHECK(late.find("time limit of 1 ms exceeded") != late.npos);
    CHECK(p.running());
    auto given_up = spawn(join_cancelled, std::ref(p));
    std::vector<job<>> waiting;
    for (int i = 0; i < 3; ++i) waiting.push_back(spawn(join_cancelled, std::ref(p)));
    co_await said(started);
    given_up.cancel();
    co_await given_up.join();
    p.kill();
    co_await joinall(waiting);
    CHECK(p.exit_code() == -SIGKILL);
}

task<> dropped() {
    raw_pipe started;
    {
        const process a = process::start(stay, std::ref(started));
        const process b = process::start(deaf, std::ref(started));
        co_await said(started);
        co_await said(started);
    }
    process c = process::start(stay, std::ref(started));
    co_await said(started);
    c = process::start(plain, 5);  // the first has been ended
    const int code = co_await c.join();
    CHECK(code == 5);
    process moved = std::move(c);
    CHECK(moved.exit_code() == 5);
}

// What the parent's loop was doing is not the child's business.
int look_around() {
    const bool has_none =
        descriptors_of_kind("anon_inode:[io_uring]") == 0 && descriptors_of_kind("anon_inode:[eventpoll]") == 0 &&
        descriptors_of_kind("anon_inode:[eventfd]") == 0 && descriptors_of_kind("anon_inode:[pidfd]") == 0;
    return has_none ? 0 : 1;
}
task<int> use_its_own_loop(const raw_pipe& parents, const raw_pipe& own) {
    for (int i = 0; i < 100; ++i) co_await yield();
    own.say('x');
    const char got = co_await said(own);
    auto reader = spawn(said, std::cref(parents));
    co_await sleep(1ms);
    co_return got == 'x' && !reader.ready() ? 0 : 1;
}

task<> beside_a_live_loop() {
    raw_pipe ours;
    raw_pipe childs;
    auto reading = spawn(said, std::cref(ours));
    auto sleeping = spawn([]() -> task<> { co_await sleep(20ms); });
    std::vector<process> children;
    for (int i = 0; i < 5; ++i)
        children.push_back(process::start(use_its_own_loop, std::cref(ours), std::cref(childs)));
    process bare = process::start(look_around);
    for (auto& child : children) {
        const int code = co_await child.join();
        CHECK(code == 0);
    }
    const int code = co_await bare.join();
    CHECK(code == 0);
    co_await sleeping.get();
    CHECK_FALSE(reading.ready());
    ours.say('y');
    const char got = co_await reading.get();
    CHECK(got == 'y');
}

task<> answer(net::tcp_stream stream) {
    std::array<std::byte, 256> block{};
    while (const std::size_t n = co_await stream.recv(block)) co_await stream.send_all(std::span{block}.first(n));
}
task<> ask(net::endpoint server, int& wrong) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(server);
    for (int i = 0; i < 100; ++i) {
        const std::string sent = "question " + std::to_string(i);
        std::string got(sent.size(), '\0');
        co_await stream.send_all(as_bytes(sent));
        for (std::size_t n = 0; n < got.size();)
            n += co_await stream.recv(std::as_writable_bytes(std::span{got}).subspan(n));
        wrong += got == sent ? 0 : 1;
    }
}
task<> tick(int& ticks) {
    for (;; ++ticks) co_await sleep(100us);
}
// A server of its own, a thread of its own, a timer of its own: nothing of the parent's.
task<int> talk_by_itself() {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    auto serving = spawn([](net::tcp_listener& l) { return net::serve(l, answer); }, std::ref(listener));
    int wrong = 0;
    co_await ask(listener.local_endpoint(), wrong);
    const int sum = co_await offload(add_at_once, 20, 22);
    co_await sleep(1ms);
    serving.cancel();
    co_await serving.join();
    co_return wrong == 0 && sum == 42 ? 0 : 1;
}

task<> in_the_middle_of_it() {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    auto serving = spawn([](net::tcp_listener& l) { return net::serve(l, answer); }, std::ref(listener));
    int wrong = 0;
    int ticks = 0;
    auto ticking = spawn(tick, std::ref(ticks));
    std::vector<job<>> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(spawn(ask, listener.local_endpoint(), std::ref(wrong)));
    std::vector<process> children;
    for (int i = 0; i < 10; ++i) {
        const int sum = co_await offload(add_at_once, i, i);
        wrong += sum == 2 * i ? 0 : 1;
        children.push_back(process::start(talk_by_itself));
    }
    co_await joinall(clients);
    CHECK(wrong == 0);
    for (auto& child : children) {
        const int code = co_await child.join();
        CHECK(code == 0);
    }
    CHECK(ticks > 0);
    for (auto* const job : {&ticking, &serving}) {
        job->cancel();
        co_await job->join();
    }
}

task<int> grandparent() {
    process inner = process::start(add, 1, 2);
    const int code = co_await inner.join();
    raw_pipe started;
    process left = process::start(stay, std::ref(started));
    co_await said(started);
    left.terminate();
    const int ended = co_await left.join();
    co_return code == 3 && ended == -SIGTERM ? 0 : 1;
}

task<> nested() {
    process outer = process::start(grandparent);
    const int code = co_await outer.join();
    CHECK(code == 0);
}

task<> killed_half_way() {
    std::vector<process> all;
    raw_pipe started;
    for (int i = 0; i < 20; ++i) all.push_back(process::start(stay, std::ref(started)));
    for (int i = 0; i < 20; ++i) co_await said(started);
    for (int i = 0; i < 20; ++i) all.push_back(process::start(stay, std::ref(started)));
    for (auto& p : all) p.kill();  // the latter perhaps before they have begun
    int killed = 0;
    for (auto& p : all) {
        const int code = co_await p.join();
        killed += code == -SIGKILL ? 1 : 0;
    }
    CHECK(killed == 40);
}

task<> terminated_although_we_wait_for_the_signal() {
    auto waiting = spawn([]() -> task<> { co_await until_signal(SIGTERM); });
    co_await yield();
    raw_pipe started;
    process p = process::start(stay, std::ref(started));
    co_await said(started);
    p.terminate();
    const int code = co_await p.join();
    CHECK(code == -SIGTERM);
    CHECK_FALSE(waiting.ready());
    waiting.cancel();
    co_await waiting.join();
}

task<> pipes_of_others() {
    os::popen cat{{"cat"}, os::popen_options::pipes()};
    raw_pipe started;
    const process neighbour = process::start(stay, std::ref(started));
    co_await said(started);
    // Would the neighbour hold the other end, cat would never see the end of its input.
    const os::popen_result done = co_await cat.communicate("meow");
    CHECK(done.output == "meow");
    CHECK(done.exit_code == 0);
}

task<> say_something() {
    std::printf("b");
    co_return;
}
task<> print_around() {
    std::printf("a");
    process p = process::start(say_something);
    co_await p.join();
    std::printf("c");
    std::fflush(stdout);
}
int print_to(const raw_pipe& output) {
    ::dup2(output.in.get(), 1);
    run(print_around);
    return 0;
}

task<> reaped_by_others() {
    process p = process::start(nothing);
    CHECK(::waitpid(p.pid(), nullptr, 0) == p.pid());
    const std::string why = co_await fate(p.join());
    CHECK(why == "somebody else reaped the child: No child processes");
    p.terminate();
}

task<> reported() {
    raw_pipe started;
    process p = process::start(stay, std::ref(started));
    auto waiting = spawn([](process& child) -> task<> { co_await child.join(); }, std::ref(p));
    waiting.set_name("parent");
    co_await said(started);
    const std::string report = describe_tasks();
    CAPTURE(report);
    CHECK(report.find("parent: waits for poll process " + std::to_string(p.pid()) + " ") != report.npos);
    p.kill();
    co_await waiting.join();
}

task<> started_with_sigchld_ignored() {
    ::signal(SIGCHLD, SIG_IGN);
    process p = process::start(plain, 7);
    const int code = co_await p.join();
    CHECK(code == 7);
    ::signal(SIGCHLD, SIG_IGN);
    os::popen program{{"sh", "-c", "exit 8"}};
    const int status = co_await program.join();
    CHECK(status == 8);
    CHECK(::signal(SIGCHLD, SIG_DFL) == SIG_DFL);
}

}  // namespace

TEST_CASE("a process gives its exit code", "[os][process]") {
    const no_children_left check;
    run(exit_codes);
}
TEST_CASE("a process that fails says why", "[os][process]") {
    const no_children_left check;
    run(failures);
}
TEST_CASE("a process takes signals, and tells which one ended it", "[os][process]") {
    const no_children_left check;
    run(signals);
}
TEST_CASE("any number of jobs wait for a process, with time limits", "[os][process]") {
    const no_children_left check;
    run(waits);
}
TEST_CASE("a process that is dropped is ended and reaped", "[os][process]") {
    const no_children_left check;
    run(dropped);
}
TEST_CASE("processes beside a live loop leave it alone", "[os][process]") {
    const no_children_left check;
    run(beside_a_live_loop);
}
TEST_CASE("processes are forked while connections, timers and threads are busy", "[os][process]") {
    const no_children_left check;
    run(in_the_middle_of_it);
}
TEST_CASE("a process starts processes", "[os][process]") {
    const no_children_left check;
    run(nested);
}
TEST_CASE("processes that are killed half-way leave nothing", "[os][process]") {
    const no_children_left check;
    run(killed_half_way);
}
TEST_CASE("a signal that the parent waits for ends its child", "[os][process]") {
    const no_children_left check;
    run(terminated_although_we_wait_for_the_signal);
}
TEST_CASE("a process does not hold the pipes of the parent's other children", "[os][process]") {
    const no_children_left check;
    run(pipes_of_others);
}
TEST_CASE("what stdio holds is written once", "[os][process]") {
    const no_children_left check;
    raw_pipe output;
    run(
        [](raw_pipe& out) -> task<> {
            process p = process::start(print_to, std::cref(out));
            const int code = co_await p.join();
            CHECK(code == 0);
        },
        std::ref(output));
    output.in.reset();
    std::string text;
    while (const char c = output.wait()) text += c;
    CHECK(text == "abc");
}
TEST_CASE("a child that somebody else reaped is an error, not a wait for ever", "[os][process]") {
    const no_children_left check;
    run(reaped_by_others);
}
TEST_CASE("a program that was started with SIGCHLD ignored gets exit codes", "[os][process]") {
    const no_children_left check;
    run(started_with_sigchld_ignored);
}
TEST_CASE("a report names the child that is waited for", "[os][process][report]") {
    const no_children_left check;
    run(reported);
}
TEST_CASE("a thread without a loop starts processes, too", "[os][process]") {
    const no_children_left check;
    std::optional<int> code;
    std::thread{[&code] {
        process p = process::start(add, 1, 1);
        while (!(code = p.exit_code())) std::this_thread::yield();
    }}.join();
    CHECK(code == 2);
}
