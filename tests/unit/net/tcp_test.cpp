// SPDX-License-Identifier: MIT
#include "support.hpp"
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/send_file.hpp>

#include <liburing.h>

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace ringlet;
using namespace ringlet_tests;
using net::endpoint;
using net::tcp_listener;
using net::tcp_stream;

namespace {

task<> echo_once(tcp_listener& listener) {
    tcp_stream stream = co_await listener.accept();
    const std::string all = co_await read_to_end(stream);
    co_await stream.send_all(as_bytes("<"));
    std::array<iovec, 4> parts{net::part_of(as_bytes(all)), net::part_of({}), net::part_of(as_bytes(">")),
                               net::part_of({})};
    co_await stream.send_all(parts);
}

task<> round_trip() {
    auto listener = any_listener();
    auto server = spawn(echo_once, std::ref(listener));
    tcp_stream client = co_await tcp_stream::connect(listener.local_endpoint());
    CHECK(client.peer_endpoint() == listener.local_endpoint());
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    CHECK(::getsockopt(client.socket().get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size) == 0);
    CHECK(no_delay == 1);
    const std::string text(300'000, 'x');
    co_await client.send_all(as_bytes(text));
    co_await client.shutdown_send();  // half closed: the answer still comes
    const std::string answer = co_await read_to_end(client);
    CHECK(answer == "<" + text + ">");
    co_await server.get();
}

task<> by_name() {
    auto listener = any_listener();
    tcp_stream client = co_await tcp_stream::connect("localhost", listener.local_endpoint().port());
    tcp_stream server = co_await listener.accept();
    CHECK(client.local_endpoint() == server.peer_endpoint());
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    CHECK(::getsockopt(server.socket().get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size) == 0);
    CHECK(no_delay == 1);
    listener.close();
    const std::string why = co_await fate(tcp_stream::connect(client.peer_endpoint()));
    CHECK(why == fmt::format("connect to {}: Connection refused", client.peer_endpoint()));
    const std::string named = co_await fate(tcp_stream::connect("localhost", client.peer_endpoint().port()));
    CHECK(contains(named, "(localhost): Connection refused"));
}

task<> endings() {
    auto [here, there] = stream_pair();
    std::array<std::byte, 8> buffer{};
    there.close();
    const std::size_t n = co_await here.recv(buffer);
    CHECK(n == 0);
    const io::buffer_lease lease = co_await here.recv_lease();
    CHECK(lease.empty());
    const result<void> sent = co_await as_result(here.send_all(as_bytes("into the void")));
    CHECK(sent.error() == std::errc::broken_pipe);  // an error, not a signal
    CHECK(net::is_disconnect(sent.error()));
}

task<> reset_by_peer() {
    auto listener = any_listener();
    tcp_stream client = co_await tcp_stream::connect(listener.local_endpoint());
    tcp_stream server = co_await listener.accept();
    const endpoint peer = server.peer_endpoint();
    const linger hard{1, 0};
    ::setsockopt(client.socket().get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    client.close();
    std::array<std::byte, 8> buffer{};
    const result<std::size_t> got = co_await as_result(server.recv(buffer));
    CHECK(got.error() == std::errc::connection_reset);
    CHECK(net::is_disconnect(got.error()));
    CHECK(peer.is_loopback());
}

task<> accept_and_note(tcp_listener& listener, int& accepted) {
    const tcp_stream stream = co_await listener.accept();
    ++accepted;
}

// The one that speaks is handed out before the one that came first and says nothing.
task<> accept_with_data() {
    auto listener = tcp_listener::bind(endpoint::loopback_v4(0), net::listen_options::client_speaks_first());
    tcp_stream silent = co_await tcp_stream::connect(listener.local_endpoint());
    tcp_stream speaks = co_await tcp_stream::connect(listener.local_endpoint());
    co_await speaks.send_all(as_bytes("hello"));
    const tcp_stream accepted = co_await listener.accept();
    CHECK(accepted.peer_endpoint() == speaks.local_endpoint());
    co_await silent.send_all(as_bytes("hello"));
    const tcp_stream late = co_await listener.accept();
    CHECK(late.peer_endpoint() == silent.local_endpoint());
}

task<> accept_cancelled() {
    auto listener = any_listener();
    int accepted = 0;
    auto early = spawn(accept_and_note, std::ref(listener), std::ref(accepted));
    early.cancel();
    co_await early.join();
    auto waiting = spawn(accept_and_note, std::ref(listener), std::ref(accepted));
    co_await sleep(1ms);
    waiting.cancel();
    co_await waiting.join();
    CHECK(accepted == 0);
    // What comes while nobody waits is kept, in order.
    tcp_stream first = co_await tcp_stream::connect(listener.local_endpoint());
    tcp_stream second = co_await tcp_stream::connect(listener.local_endpoint());
    co_await sleep(1ms);
    tcp_stream one = co_await listener.accept();
    tcp_stream two = co_await listener.accept();
    CHECK(one.peer_endpoint() == first.local_endpoint());
    CHECK(two.peer_endpoint() == second.local_endpoint());
}

// Far more than a listener keeps: accepting pauses and goes on, and none is lost.
task<> many_kept() {
    auto listener = any_listener();
    std::vector<tcp_stream> clients;
    for (int i = 0; i < 300; ++i) {
        clients.push_back(co_await tcp_stream::connect(listener.local_endpoint()));
        if (i == 0) {
            tcp_stream first = co_await listener.accept();
            clients.push_back(std::move(first));
        }
    }
    co_await sleep(5ms);
    for (int i = 1; i < 300; ++i) clients.push_back(co_await with_timeout(5s, listener.accept()));
    CHECK(clients.size() == 600);
    const result<tcp_stream> none = co_await as_result(with_timeout(1ms, listener.accept()));
    CHECK(none.error() == std::errc::timed_out);
}

task<std::string> connect_to(std::vector<endpoint> peers) {
    const tcp_stream stream = co_await tcp_stream::connect(std::move(peers), "some.test");
    co_return "connected";
}

task<> connect_and_wait(endpoint to, bool& served) {
    tcp_stream stream = co_await tcp_stream::connect(to);
    std::array<std::byte, 1> buffer{};
    const std::size_t n = co_await stream.recv(buffer);
    served = n == 1;
}

// In a child process: out of descriptors, accept waits and does not spin, and goes on when there is one.
task<int> starve() {
    auto listener = any_listener();
    bool served = false;
    // The client's descriptor is the last one.
    std::vector<io::owned_fd> hoard;
    auto client = spawn(connect_and_wait, listener.local_endpoint(), std::ref(served));
    co_await sleep(10ms);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 40;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    for (;;) {
        io::owned_fd fd{::dup(0)};
        if (!fd) break;
        hoard.push_back(std::move(fd));
    }
    auto free_one = [](std::vector<io::owned_fd>& all) -> task<> {
        co_await sleep(100ms);
        all.pop_back();
    };
    auto helper = spawn(free_one, std::ref(hoard));
    timespec before{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    tcp_stream server = co_await listener.accept();
    timespec after{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    const double cpu_seconds =
        static_cast<double>(after.tv_sec - before.tv_sec) + static_cast<double>(after.tv_nsec - before.tv_nsec) * 1e-9;
    co_await server.send_all(as_bytes("!"));
    co_await client.join();
    if (!served) co_return 3;
    co_return cpu_seconds < 0.05 ? 0 : 4;
}

task<std::string> byte_by_byte(tcp_stream& from, std::size_t bytes) {
    std::string all;
    std::array<std::byte, 1> one{};
    while (all.size() < bytes) {
        const std::size_t got = co_await from.recv(one);
        if (got == 0) break;
        all += as_text(one);
    }
    co_return all;
}

task<std::string> in_time(tcp_stream& from, std::size_t bytes) {
    std::string all = co_await with_timeout(10ms, byte_by_byte(from, bytes));
    co_return all;
}

task<> came_meanwhile() {
    auto [near, far] = stream_pair();
    auto [lonely, silent] = stream_pair();
    job<std::string> reads = spawn(in_time(near, 3));
    job<std::string> waits = spawn(in_time(lonely, 1));
    co_await sleep(1ms);
    REQUIRE(::send(far.socket().get(), "abc", 3, 0) == 3);
    ::usleep(600'000);  // as Ctrl-Z does
    const std::string got = co_await reads.get();
    CHECK(got == "abc");
    const auto nothing = co_await as_result(waits.get());
    CHECK(nothing.error() == std::errc::timed_out);
}

task<> reset_after_its_end() {
    tcp_listener listener = tcp_listener::bind(endpoint::loopback_v4(0));
    tcp_stream far = co_await tcp_stream::connect(listener.local_endpoint());
    tcp_stream near = co_await listener.accept();
    co_await near.send_all(as_bytes("answer"));
    std::array<std::byte, 16> some{};
    const std::size_t answer = co_await far.recv(some);
    CHECK(answer == 6);
    far.close();
    const std::size_t end = co_await near.recv(some);
    CHECK(end == 0);
    co_await near.send_all(as_bytes("late"));
    co_await with_timeout(10s, ringlet::io::poll_op{near.socket(), POLLHUP});
    CHECK(ringlet::net::unconfirmed_bytes(near.socket()) == 0);
}

}  // namespace

TEST_CASE("who has reset the connection will confirm nothing", "[net][tcp][orderly]") { run(reset_after_its_end); }

TEST_CASE("bytes go there and back over TCP", "[net][tcp]") {
    const leak_check leaks;
    run(round_trip);
}
TEST_CASE("connect by name; a refused connection names address and host", "[net][tcp]") { run(by_name); }
TEST_CASE("connect goes on with other addresses when there is no socket for one", "[net][tcp]") {
    checked_loop loop;
    loop.engine().set_script([](auto& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_CONNECT) return false;
        engine.at(400ms, [data = sqe.user_data](auto& later) { later.complete(data, 0); });
        return true;
    });
    // No family stands for one that this kernel does not have.
    const endpoint none;
    const endpoint slow = endpoint::loopback_v4(80);
    CHECK(loop.run(connect_to({none, slow})) == "connected");
    CHECK(loop.now() == 400ms);
    CHECK(loop.run(connect_to({slow, none})) == "connected");  // tried beside it after 250 ms
    CHECK(loop.now() == 800ms);
    CHECK(loop.run(fate(connect_to({none, none}))) ==
          "connect to (no address) (some.test): Address family not supported by protocol");
    CHECK(loop.run(fate(tcp_stream::connect(none))) ==
          "connect to (no address): Address family not supported by protocol");
}
TEST_CASE("what came while the program was stopped is received, although the limit has passed", "[net][tcp][orderly]") {
    run(came_meanwhile);
}
TEST_CASE("the end of a stream is a value, a broken pipe an error", "[net][tcp]") { run(endings); }
TEST_CASE("a reset is an error that says so", "[net][tcp]") { run(reset_by_peer); }
TEST_CASE("where the client speaks first, who speaks is accepted first", "[net][tcp]") { run(accept_with_data); }
TEST_CASE("a cancelled accept loses no connection", "[net][tcp]") {
    const leak_check leaks;
    run(accept_cancelled);
}
TEST_CASE("connections that come while nobody accepts are kept", "[net][tcp]") {
    const leak_check leaks;
    run(many_kept);
}

TEST_CASE("a listener may outlive a run, and serve another", "[net][tcp]") {
    const leak_check leaks;
    auto listener = any_listener();
    for (int i = 0; i < 3; ++i) {
        auto once = [](tcp_listener& l) -> task<> {
            tcp_stream client = co_await tcp_stream::connect(l.local_endpoint());
            tcp_stream server = co_await l.accept();
            CHECK(server.peer_endpoint() == client.local_endpoint());
        };
        run(once, std::ref(listener));
    }
}

TEST_CASE("a TCP port in use is an error that names it", "[net][tcp]") {
    const auto first = any_listener();
    CHECK_THROWS_WITH(tcp_listener::bind(first.local_endpoint()),
                      fmt::format("cannot listen on {}: Address already in use", first.local_endpoint()));
}

TEST_CASE("out of descriptors, accept backs off and recovers", "[net][tcp]") {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        int status = 9;
        try {
            status = run(starve);
        } catch (...) {
        }
        ::_exit(status);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}
