// SPDX-License-Identifier: MIT
// That each fault happens, is counted, and does what fault_plan.hpp says; and what a simulation gives without faults.
#include "catch.hpp"
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/acceptor.hpp>
#include <ringlet/io/offload.hpp>
#include <ringlet/io/op/accept.hpp>
#include <ringlet/io/op/connect.hpp>
#include <ringlet/io/op/fallocate.hpp>
#include <ringlet/io/op/fsync.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/op/openat2.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/op/send_all.hpp>
#include <ringlet/io/op/write.hpp>
#include <ringlet/io/receiver.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/testing/simulation.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <new>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>

namespace {

namespace io = ringlet::io;
namespace sys = ringlet::io::sys;
using ringlet::as_result;
using ringlet::job;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet::with_timeout;
using ringlet::testing::fault;
using ringlet::testing::fault_plan;
using ringlet::testing::simulation;
using ringlet_tests::fate;
using namespace std::chrono_literals;

/// Two sockets, each connected to the other, and where `b` is bound.
struct pair {
    io::owned_fd a;
    io::owned_fd b;
};
io::owned_fd bound(int type, sockaddr_in& address) {
    io::owned_fd socket{sys::socket(AF_INET, type | SOCK_CLOEXEC, 0)};
    address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(sys::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(sys::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    return socket;
}
auto connect_to(const io::owned_fd& socket, const sockaddr_in& address) {
    return io::connect_op{socket, reinterpret_cast<const sockaddr&>(address), sizeof address};
}
io::owned_fd listening(sockaddr_in& address) {
    io::owned_fd socket = bound(SOCK_STREAM, address);
    REQUIRE(sys::listen(socket.get(), 10) == 0);
    return socket;
}
task<> make(pair& both) {
    sockaddr_in address{};
    const io::owned_fd listener = listening(address);
    both.a = io::owned_fd{sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    co_await connect_to(both.a, address);
    both.b = co_await io::accept_op{listener};
}
task<> make_datagrams(pair& both) {
    sockaddr_in address{};
    both.b = bound(SOCK_DGRAM, address);
    both.a = io::owned_fd{sys::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    co_await connect_to(both.a, address);
}
io::owned_fd file(const char* path, int flags = O_RDWR | O_CREAT) {
    io::owned_fd opened{sys::open(path, flags | O_CLOEXEC, 0600)};
    REQUIRE(opened);
    return opened;
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span{text}); }
std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Its value, or the negative errno.
template <class Operation>
task<int> end_of(Operation operation) {
    auto result = co_await as_result(std::move(operation));
    if (!result) co_return -result.error().value();
    if constexpr (requires { static_cast<int>(*result); })
        co_return static_cast<int>(*result);
    else
        co_return 0;
}

/// Runs it in a simulation that commits only this fault. Result: how often it did.
template <class Task, class... Args>
std::size_t run_with(fault kind, double probability, Task make_task, Args&&... args) {
    simulation world{1, fault_plan{}.with(kind, probability)};
    world.run(make_task(std::forward<Args>(args)...));
    INFO(world.faults().to_string());
    CHECK(world.faults().total() == world.faults()[kind]);
    CHECK(world.faults()[kind] > 0);
    return world.faults()[kind];
}

}  // namespace

TEST_CASE("fault short_read: a stream and a file give less than there is, and nothing is lost", "[sim][fault]") {
    run_with(fault::short_read, 1, []() -> task<> {
        pair s;
        co_await make(s);
        const std::string sent = "0123456789";
        co_await io::send_all_op{s.a, bytes_of(sent)};
        std::array<std::byte, 10> room{};
        std::string heard;
        int receives = 0;
        while (heard.size() < sent.size()) {
            const std::size_t n = co_await io::recv_op{s.b, room};
            CHECK(n < room.size());
            heard += text_of(std::span{room}.first(n));
            ++receives;
        }
        CHECK(heard == sent);
        CHECK(receives > 1);
        const io::owned_fd f = file("/f");
        co_await io::write_op{f, bytes_of(sent), 0};
        const std::size_t n = co_await io::read_op{f, room, 0};
        CHECK(n > 0);
        CHECK(n < sent.size());
    });
}

TEST_CASE("fault short_write: a stream and a file take less than is given", "[sim][fault]") {
    run_with(fault::short_write, 1, []() -> task<> {
        pair s;
        co_await make(s);
        const std::size_t sent = co_await io::send_op{s.a, bytes_of("0123456789")};
        CHECK(sent < 10);
        std::array<std::byte, 10> room{};
        const std::size_t heard = co_await io::recv_op{s.b, room};
        CHECK(heard == sent);
        co_await io::send_all_op{s.a, bytes_of("0123456789")};  // in several parts
        const io::owned_fd f = file("/f");
        const std::size_t written = co_await io::write_op{f, bytes_of("0123456789"), 0};
        CHECK(written > 0);
        CHECK(written < 10);
    });
}

TEST_CASE("fault interrupted: an enter does nothing, and the next one does it", "[sim][fault]") {
    const std::size_t times = run_with(fault::interrupted, 0.5, []() -> task<> {
        for (int i = 0; i < 20; ++i) co_await io::nop_op{};
        co_await sleep(1ms);
    });
    CHECK(times > 5);
}

namespace {

// A write that is cancelled as soon as it is submitted.
task<> cancelled_write(int& written) {
    const io::owned_fd f = file("/f");
    job<> writer = spawn(
        [](io::fd_ref to, int& n) -> task<> { n = static_cast<int>(co_await io::write_op{to, bytes_of("text"), 0}); },
        io::fd_ref{f}, std::ref(written));
    co_await ringlet::yield();
    writer.cancel();
    co_await writer.join();
}

}  // namespace

TEST_CASE("fault late_cancel: what is cancelled completes first", "[sim][fault]") {
    int cancelled = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        simulation undisturbed{seed};
        int written = 0;
        undisturbed.run(cancelled_write(written));
        if (written == 0 && undisturbed.read_file("/f") == "") ++cancelled;
    }
    CHECK(cancelled > 0);
    std::size_t times = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        simulation world{seed, fault_plan{}.with(fault::late_cancel, 1)};
        int written = 0;
        world.run(cancelled_write(written));
        CHECK(written == 4);
        CHECK(world.read_file("/f") == "text");
        times += world.faults()[fault::late_cancel];
    }
    CHECK(times > 0);
}

TEST_CASE("fault busy_cancel: what is cancelled ends later, done or not", "[sim][fault]") {
    std::size_t times = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        simulation world{seed, fault_plan{}.with(fault::busy_cancel, 1)};
        int written = 0;
        world.run(cancelled_write(written));
        CHECK(world.read_file("/f") == (written == 4 ? "text" : ""));
        world.run([]() -> task<> {
            pair s;
            co_await make(s);
            std::array<std::byte, 4> room{};
            const std::string text = co_await fate(with_timeout(1ms, io::recv_op{s.b, room}));
            CHECK(ringlet_tests::contains(text, "time limit of 1 ms"));
        }());
        times += world.faults()[fault::busy_cancel];
    }
    CHECK(times > 20);
}

TEST_CASE("fault lost_more: a multishot request ends after one, and is made again", "[sim][fault]") {
    const auto accept_three = []() -> task<> {
        sockaddr_in address{};
        io::acceptor doors{listening(address)};
        for (int i = 0; i < 3; ++i) {
            const io::owned_fd client{sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
            co_await connect_to(client, address);
            const io::owned_fd accepted = co_await doors.accept();
            CHECK(accepted);
        }
    };
    const auto accepts = [&](const fault_plan& plan) {
        simulation world{1, plan};
        world.run(accept_three());
        return std::ranges::count(world.operations(), static_cast<std::uint8_t>(IORING_OP_ACCEPT));
    };
    CHECK(accepts({}) == 1);
    CHECK(accepts(fault_plan{}.with(fault::lost_more, 1)) >= 3);
}

TEST_CASE("fault lost_more: a receiver loses nothing", "[sim][fault]") {
    const std::size_t times = run_with(fault::lost_more, 1, []() -> task<> {
        pair s;
        co_await make(s);
        io::receiver in{std::move(s.b)};
        for (int i = 0; i < 3; ++i) {
            co_await io::send_op{s.a, bytes_of("x")};
            const io::buffer_lease got = co_await in.next();
            CHECK(got.size() == 1);
        }
    });
    CHECK(times >= 2);  // the first is one by itself
}

TEST_CASE("fault connection_reset: ECONNRESET here, then EPIPE, and ECONNRESET at the other end", "[sim][fault]") {
    run_with(fault::connection_reset, 1, []() -> task<> {
        pair s;
        co_await make(s);
        std::array<std::byte, 4> room{};
        const int first = co_await end_of(io::recv_op{s.a, room});
        CHECK(first == -ECONNRESET);
        co_await sleep(1ms);
        const int sent = co_await end_of(io::send_op{s.a, bytes_of("x")});
        CHECK(sent == -EPIPE);
        const int other = co_await end_of(io::recv_op{s.b, room});
        CHECK(other == -ECONNRESET);
    });
}

TEST_CASE("fault connection_refused: though somebody listens", "[sim][fault]") {
    run_with(fault::connection_refused, 1, []() -> task<> {
        sockaddr_in address{};
        const io::owned_fd listener = listening(address);
        const io::owned_fd client{sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        const int n = co_await end_of(connect_to(client, address));
        CHECK(n == -ECONNREFUSED);
    });
}

TEST_CASE("fault no_descriptors: EMFILE from socket and open", "[sim][fault]") {
    run_with(fault::no_descriptors, 1, []() -> task<> {
        CHECK(sys::socket(AF_INET, SOCK_STREAM, 0) == -1);
        CHECK(errno == EMFILE);
        open_how how{};
        how.flags = O_RDONLY | O_DIRECTORY;
        const int n = co_await end_of(io::openat2_op{io::fd_ref{AT_FDCWD}, "/", how});
        CHECK(n == -EMFILE);
    });
}

TEST_CASE("fault no_descriptors: an accept that has none leaves the connection where it is", "[sim][fault]") {
    int refused = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        simulation world{seed, fault_plan{}.with(fault::no_descriptors, 0.3)};
        world.run([](int& times) -> task<> {
            sockaddr_in address{};
            io::owned_fd listener;
            io::owned_fd client;
            while (!listener) listener = io::owned_fd{sys::socket(AF_INET, SOCK_STREAM, 0)};
            while (!client) client = io::owned_fd{sys::socket(AF_INET, SOCK_STREAM, 0)};
            CHECK(sys::listen(listener.get(), 1) == 0);
            socklen_t length = sizeof address;
            CHECK(sys::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
            co_await connect_to(client, address);
            for (;;) {
                const auto accepted = co_await as_result(io::accept_op{listener});
                if (accepted) break;
                CHECK(accepted.error().value() == EMFILE);
                ++times;
            }
        }(refused));
    }
    CHECK(refused > 0);
}

TEST_CASE("fault no_space: none or a part of the bytes, then ENOSPC", "[sim][fault]") {
    run_with(fault::no_space, 1, []() -> task<> {
        const io::owned_fd f = file("/f");
        const int n = co_await end_of(io::write_op{f, bytes_of("0123456789"), 0});
        CHECK((n == -ENOSPC || (n > 0 && n < 10)));
        const int allocated = co_await end_of(io::fallocate_op{f, 0, 0, 10});
        CHECK(allocated == -ENOSPC);
    });
}

TEST_CASE("fault no_buffers: ENOBUFS for a datagram, and a receiver that tries again", "[sim][fault]") {
    run_with(fault::no_buffers, 1, []() -> task<> {
        pair s;
        co_await make_datagrams(s);
        const int n = co_await end_of(io::send_op{s.a, bytes_of("x")});
        CHECK(n == -ENOBUFS);
    });
    run_with(fault::no_buffers, 0.5, []() -> task<> {
        pair s;
        co_await make(s);
        io::receiver in{std::move(s.b)};
        for (int i = 0; i < 10; ++i) {
            co_await io::send_op{s.a, bytes_of("x")};
            const io::buffer_lease got = co_await in.next();
            CHECK(got.size() == 1);
        }
    });
}

TEST_CASE("fault no_memory: ENOMEM in place of a result", "[sim][fault]") {
    run_with(fault::no_memory, 1, []() -> task<> {
        const io::owned_fd f = file("/f");
        std::array<std::byte, 4> room{};
        const int n = co_await end_of(io::read_op{f, room, 0});
        CHECK(n == -ENOMEM);
    });
}

TEST_CASE("fault no_frame: std::bad_alloc where a frame is made", "[sim][fault]") {
    std::size_t times = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        simulation world{seed, fault_plan{}.with(fault::no_frame, 0.3)};
        bool failed = false;
        try {
            world.run([]() -> task<> {
                for (int i = 0; i < 3; ++i) co_await []() -> task<> { co_await io::nop_op{}; }();
            }());
        } catch (const std::bad_alloc&) {
            failed = true;
        }
        CHECK(failed == (world.faults()[fault::no_frame] > 0));
        times += world.faults()[fault::no_frame];
    }
    CHECK(times > 0);
}

TEST_CASE("fault disk_error: EIO from read, write and fsync", "[sim][fault]") {
    run_with(fault::disk_error, 1, []() -> task<> {
        const io::owned_fd f = file("/f");
        std::array<std::byte, 4> room{};
        const int read = co_await end_of(io::read_op{f, room, 0});
        CHECK(read == -EIO);
        const int written = co_await end_of(io::write_op{f, bytes_of("x"), 0});
        CHECK(written == -EIO);
        const int synced = co_await end_of(io::fsync_op{f});
        CHECK(synced == -EIO);
    });
}

TEST_CASE("fault datagram_lost: it does not arrive", "[sim][fault]") {
    run_with(fault::datagram_lost, 1, []() -> task<> {
        pair s;
        co_await make_datagrams(s);
        const std::size_t n = co_await io::send_op{s.a, bytes_of("x")};
        CHECK(n == 1);
        std::array<std::byte, 4> room{};
        const std::string text = co_await fate(with_timeout(1s, io::recv_op{s.b, room}));
        CHECK(ringlet_tests::contains(text, "time limit of 1 s"));
    });
}

TEST_CASE("fault datagram_duplicated: it arrives twice", "[sim][fault]") {
    run_with(fault::datagram_duplicated, 1, []() -> task<> {
        pair s;
        co_await make_datagrams(s);
        co_await io::send_op{s.a, bytes_of("x")};
        std::array<std::byte, 4> room{};
        for (int i = 0; i < 2; ++i) {
            const std::size_t n = co_await io::recv_op{s.b, room};
            CHECK(n == 1);
        }
    });
}

TEST_CASE("fault datagram_delayed: others overtake it", "[sim][fault]") {
    std::string heard;
    run_with(
        fault::datagram_delayed, 0.5,
        [](std::string& order) -> task<> {
            pair s;
            co_await make_datagrams(s);
            for (const char* one : {"0", "1", "2", "3", "4", "5", "6", "7"}) co_await io::send_op{s.a, bytes_of(one)};
            std::array<std::byte, 4> room{};
            for (int i = 0; i < 8; ++i) {
                const std::size_t n = co_await io::recv_op{s.b, room};
                order += text_of(std::span{room}.first(n));
            }
        },
        heard);
    CHECK(heard.size() == 8);
    CHECK_FALSE(std::ranges::is_sorted(heard));
}

// --- without faults ---

TEST_CASE("the order of what happens at the same time, and how long it takes, are the seed's", "[sim]") {
    std::set<std::string> orders;
    std::set<std::chrono::nanoseconds> durations;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        simulation world{seed};
        std::string order;
        world.run([](std::string& all) -> task<> {
            std::vector<task<>> many;
            for (char c = 'a'; c < 'i'; ++c)
                many.push_back([](std::string& out, char mine) -> task<> {
                    co_await io::nop_op{};
                    out += mine;
                }(all, c));
            co_await ringlet::when_all(std::move(many));
        }(order));
        orders.insert(order);
        durations.insert(world.now());
        CHECK(world.now() <= 2 * fault_plan().latency_max);
        CHECK(world.faults().total() == 0);
    }
    CHECK(orders.size() > 5);
    CHECK(durations.size() > 5);
}

TEST_CASE("virtual time jumps over what nobody uses, and never goes back", "[sim]") {
    simulation world{1, fault_plan::harmless()};
    std::vector<std::chrono::nanoseconds> seen;
    world.on_turn([&](std::uint64_t) { seen.push_back(world.now()); });
    const auto before = std::chrono::steady_clock::now();
    world.run([]() -> task<> {
        co_await sleep(24h);
        pair s;
        co_await make(s);
        for (int i = 0; i < 10; ++i) co_await io::send_op{s.a, bytes_of("x")};
        co_await sleep(1us);
    }());
    CHECK(std::chrono::steady_clock::now() - before < 10s);
    CHECK(std::ranges::is_sorted(seen));
    CHECK(world.now() >= 24h);
    CHECK(world.now() < 24h + 1s);
    CHECK(world.steps() < 1000);
}

TEST_CASE("a signal is heard by who waits for it", "[sim]") {
    simulation world;
    world.after(5ms, [&] { world.signal(SIGTERM); });
    const int heard = world.run([]() -> task<int> { co_return co_await ringlet::until_signal(SIGINT, SIGTERM); }());
    CHECK(heard == SIGTERM);
    CHECK(world.now() >= 5ms);
    CHECK(world.now() < 6ms);
}

TEST_CASE("a call on a thread of the pool is made on the loop's own, a little later", "[sim]") {
    simulation world;
    const auto here = std::this_thread::get_id();
    const bool same = world.run([](std::thread::id loop_thread) -> task<bool> {
        const auto there = co_await io::offload([] { return std::this_thread::get_id(); });
        co_return there == loop_thread;
    }(here));
    CHECK(same);
    CHECK(world.now() > 0ns);
}

TEST_CASE("descriptors and room on the disk can be few", "[sim]") {
    simulation world;
    world.set_descriptors_max(5);  // with the three that every process has
    world.set_disk_bytes(6);
    world.run([]() -> task<> {
        io::owned_fd first{sys::socket(AF_INET, SOCK_STREAM, 0)};
        const io::owned_fd f = file("/f");
        CHECK(sys::socket(AF_INET, SOCK_STREAM, 0) == -1);
        CHECK(errno == EMFILE);
        first.reset();
        const io::owned_fd again{sys::socket(AF_INET, SOCK_STREAM, 0)};
        CHECK(again);
        const int part = co_await end_of(io::write_op{f, bytes_of("0123456789"), 0});
        CHECK(part == 6);
        const int full = co_await end_of(io::write_op{f, bytes_of("6789"), 6});
        CHECK(full == -ENOSPC);
        const int over = co_await end_of(io::write_op{f, bytes_of("abcdef"), 0});
        CHECK(over == 6);
    }());
    CHECK(world.read_file("/f") == "abcdef");
}
