// SPDX-License-Identifier: MIT
#include "support.hpp"
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/net/serve.hpp>

#include <stdexcept>

using namespace ringlet;
using namespace ringlet_tests;
using net::drain;
using net::endpoint;
using net::serve_options;
using net::tcp_listener;
using net::tcp_stream;

namespace {

task<> echo(tcp_stream stream, int& live) {
    ++live;
    struct leave {
        int& count;
        ~leave() { --count; }
    } const guard{live};
    for (;;) {
        const io::buffer_lease lease = co_await stream.recv_lease();
        if (lease.empty()) co_return;
        co_await stream.send_all(lease.bytes());
    }
}

task<std::string> ask(endpoint server, std::string text) {
    tcp_stream stream = co_await tcp_stream::connect(server);
    co_await stream.send_all(as_bytes(text));
    co_await stream.shutdown_send();
    co_return co_await read_to_end(stream);
}

task<> many_clients(endpoint server) {
    std::vector<job<std::string>> jobs;
    for (int i = 0; i < 100; ++i) jobs.push_back(spawn(ask, server, "message " + std::to_string(i)));
    for (int i = 0; i < 100; ++i) {
        const std::string answer = co_await jobs[static_cast<std::size_t>(i)].get();
        CHECK(answer == "message " + std::to_string(i));
    }
}

task<> serve_and_cancel() {
    auto listener = any_listener();
    int live = 0;
    tcp_stream idle = co_await tcp_stream::connect(listener.local_endpoint());
    co_await first_of(net::serve(listener, echo, std::ref(live)), many_clients(listener.local_endpoint()));
    CHECK(live == 0);  // the idle connection's handler, too, had ended when serve returned
    std::array<std::byte, 1> buffer{};
    const std::size_t n = co_await idle.recv(buffer);
    CHECK(n == 0);
}

task<> fail_by_text(tcp_stream stream) {
    const std::string text = co_await read_to_end(stream);
    if (text == "fail") throw std::runtime_error{"asked to fail"};
    if (text == "reset") throw std::system_error{std::make_error_code(std::errc::connection_reset), "recv"};
    co_await stream.send_all(as_bytes("fine"));
}

task<> failing_handlers() {
    auto listener = any_listener();
    std::vector<std::string> failures;
    serve_options options;
    options.on_failure = [&](const endpoint& peer, const std::exception_ptr& why) {
        CHECK(peer.is_loopback());
        failures.push_back(ringlet::detail::describe(why));
        throw std::runtime_error{"a report that fails ends nothing"};
    };
    auto server = spawn(net::serve(listener, options, fail_by_text));
    for (const char* text : {"fail", "reset", "live"}) {
        const std::string answer = co_await ask(listener.local_endpoint(), text);
        CHECK(answer == (text == std::string_view{"live"} ? "fine" : ""));
    }
    CHECK(failures.size() == 2);
    CHECK(failures.front() == "asked to fail");
    server.cancel();
    co_await server.join();
}

task<> greet(tcp_stream stream, const std::string& text, std::string_view end) {
    co_await sleep(1ms);
    co_await stream.send_all(as_bytes(text));
    co_await stream.send_all(as_bytes(end));
}

task<> kept_arguments() {
    auto listener = any_listener();
    auto server =
        spawn(net::serve(listener, greet, "a text that is longer than any small string", std::string(100, '!')));
    for (int i = 0; i < 2; ++i) {
        const std::string answer = co_await ask(listener.local_endpoint(), "");
        CHECK(answer == "a text that is longer than any small string" + std::string(100, '!'));
    }
    server.cancel();
    co_await server.join();
}

task<> hold(tcp_stream stream, int& live, int& most) {
    most = std::max(most, ++live);
    co_await sleep(2ms);
    --live;
    co_await stream.send_all(as_bytes("served"));
}

task<> capped() {
    auto listener = any_listener();
    int live = 0;
    int most = 0;
    serve_options options;
    options.connections_max = 3;
    auto server = spawn(net::serve(listener, options, hold, std::ref(live), std::ref(most)));
    std::vector<job<std::string>> jobs;
    for (int i = 0; i < 10; ++i) jobs.push_back(spawn(ask, listener.local_endpoint(), ""));
    for (auto& one : jobs) {
        const std::string answer = co_await one.get();
        CHECK(answer == "served");
    }
    CHECK(most == 3);
    server.cancel();
    co_await server.join();
}

task<> chat_until_drained(tcp_stream stream, drain& stopping) {
    for (;;) {
        std::array<std::byte, 64> buffer;
        const std::optional<std::size_t> n = co_await stopping.unless_begun(stream.recv(buffer));
        if (!n || *n == 0) break;
        co_await sleep(5ms);  // work that a drain does not interrupt
        co_await stream.send_all(std::span{buffer}.first(*n));
    }
    co_await stream.send_all(as_bytes("bye"));
}

task<> drained() {
    auto listener = any_listener();
    const endpoint address = listener.local_endpoint();
    drain stopping;
    auto server = spawn(net::serve(listener, serve_options{stopping}, chat_until_drained, std::ref(stopping)));
    tcp_stream idle = co_await tcp_stream::connect(address);
    tcp_stream busy = co_await tcp_stream::connect(address);
    co_await busy.send_all(as_bytes("work;"));
    co_await sleep(2ms);
    stopping.begin();
    co_await server.get();  // ends by itself, without failure
    const std::string idle_end = co_await read_to_end(idle);
    CHECK(idle_end == "bye");
    const std::string busy_end = co_await read_to_end(busy);
    CHECK(busy_end == "work;bye");
    const std::string refused = co_await fate(tcp_stream::connect(address));
    CHECK(contains(refused, "Connection refused"));
}

task<> wait_for(drain& d, int& count) {
    co_await d.wait_begun();
    ++count;
}

task<> drain_waits() {
    drain d;
    int count = 0;
    auto one = spawn(wait_for, std::ref(d), std::ref(count));
    auto two = spawn(wait_for, std::ref(d), std::ref(count));
    auto three = spawn(wait_for, std::ref(d), std::ref(count));
    co_await yield();
    three.cancel();
    co_await three.join();
    d.begin();
    d.begin();
    co_await one.get();
    co_await two.get();
    CHECK(count == 2);
    co_await d.wait_begun();  // at once
    const bool slept = co_await d.unless_begun(sleep(1h));
    CHECK_FALSE(slept);
}

task<> later(task<> what) {
    co_await sleep(1ms);
    co_await std::move(what);
}
task<> wait_hour() { co_await sleep(1h); }

task<> drain_before_a_task() {
    drain d;
    auto begin = spawn(
        [](drain& what) -> task<> {
            what.begin();
            co_return;
        },
        std::ref(d));
    const bool interrupted = co_await d.unless_begun(later(wait_hour()));
    CHECK_FALSE(interrupted);
    const bool at_once = co_await d.unless_begun(later(wait_hour()));
    CHECK_FALSE(at_once);
    co_await begin.join();
}

task<> drain_and_limits() {
    drain d;
    const bool slept = co_await d.unless_begun(sleep(1ms));
    CHECK(slept);
    // A time limit inside or outside keeps its own meaning.
    const std::string inside = co_await fate(d.unless_begun(with_timeout(1ms, sleep(1h))));
    CHECK(contains(inside, "limit of 1 ms exceeded"));
    const std::string outside = co_await fate(with_timeout(1ms, d.unless_begun(sleep(1h))));
    CHECK(contains(outside, "limit of 1 ms exceeded"));
    auto waiting =
        spawn([](drain& what) -> task<bool> { co_return co_await what.unless_begun(sleep(1h)); }, std::ref(d));
    co_await yield();
    waiting.cancel();  // a cancellation is none of the drain's
    const std::string end = co_await fate([](job<bool>& j) -> task<bool> { co_return co_await j.get(); }(waiting));
    CHECK(end == "cancelled");
}

}  // namespace

TEST_CASE("serve ends its handlers before it returns", "[net][serve]") {
    const leak_check leaks;
    run(serve_and_cancel);
}
TEST_CASE("a handler's failure is reported and ends its connection only", "[net][serve]") {
    const leak_check leaks;
    run(failing_handlers);
}
TEST_CASE("serve keeps what a handler's reference parameter refers to alive", "[net][serve]") {
    const leak_check leaks;
    run(kept_arguments);
}
TEST_CASE("no more connections are served than allowed, and the others wait", "[net][serve]") { run(capped); }
TEST_CASE("a drain ends idle connections, lets work finish, and refuses new ones", "[net][serve][orderly]") {
    const leak_check leaks;
    run(drained);
}
TEST_CASE("a drain wakes all who wait for it", "[net][serve]") {
    checked_loop loop;
    loop.run(drain_waits());
}
TEST_CASE("a drain may leave a task unawaited that was another one's argument", "[net][serve]") {
    checked_loop loop;
    loop.run(drain_before_a_task());
}
TEST_CASE("a drain, a time limit and a cancellation do not take each other's place", "[net][serve]") {
    checked_loop loop;
    loop.run(drain_and_limits());
}
