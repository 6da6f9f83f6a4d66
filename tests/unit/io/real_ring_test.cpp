// SPDX-License-Identifier: MIT
// The same basics on the real kernel.
#include "core/support.hpp"
#include "io/sockets.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/op/openat2.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/read_full.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/recv_provided.hpp>
#include <ringlet/io/op/send_all.hpp>
#include <ringlet/io/op/statx.hpp>
#include <ringlet/io/op/unlinkat.hpp>
#include <ringlet/io/op/write.hpp>
#include <ringlet/io/op/write_all.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace ringlet_tests;
using namespace ringlet::io;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet::with_timeout;

namespace {

/// A loop on the kernel's ring, or null when there is none here. Why stands in `reason`.
std::unique_ptr<ringlet::loop> real_loop(std::string& reason, const ringlet::loop_options& options = {}) {
    try {
        return std::make_unique<ringlet::loop>(options);
    } catch (const engine_unavailable& error) {
        reason = error.what();
        return nullptr;
    }
}

task<std::string> receive(fd_ref socket) {
    std::array<std::byte, 64> room{};
    const std::size_t n = co_await recv_op{socket, room};
    co_return std::string{reinterpret_cast<const char*>(room.data()), n};
}

}  // namespace

#define RINGLET_TESTS_REAL_LOOP(...)                                \
    const leak_check leaks;                                         \
    std::string reason;                                             \
    const auto loop = real_loop(reason __VA_OPT__(, ) __VA_ARGS__); \
    if (!loop) SKIP(reason)

TEST_CASE("bytes go through the kernel and the end of the stream is zero", "[real][orderly]") {
    RINGLET_TESTS_REAL_LOOP();
    loop->run([]() -> task<> {
        socket_pair sockets;
        auto reader = spawn(receive, fd_ref{sockets.b});
        co_await sleep(1ms);
        co_await send_all_op{sockets.a, bytes_of("hello")};
        const std::string text = co_await reader.get();
        CHECK(text == "hello");
        sockets.a.reset();
        const std::string end = co_await receive(sockets.b);
        CHECK(end.empty());
    }());
}

TEST_CASE("a send that the socket cannot take at once goes through in pieces", "[real]") {
    RINGLET_TESTS_REAL_LOOP();
    loop->run([]() -> task<> {
        socket_pair sockets;
        const std::vector<std::byte> much(std::size_t{8} << 20, std::byte{7});
        auto writer =
            spawn([](fd_ref to, const std::vector<std::byte>& data) -> task<> { co_await send_all_op{to, data}; },
                  fd_ref{sockets.a}, std::cref(much));
        std::size_t got = 0;
        bool more = true;
        while (got < much.size()) {
            auto lease = co_await recv_provided_op{sockets.b, more};
            got += lease.size();
            CHECK(lease.bytes()[0] == std::byte{7});
        }
        co_await writer.join();
        CHECK(got == much.size());
    }());
}

TEST_CASE("a limit and a cancellation end a receive that the kernel holds", "[real]") {
    RINGLET_TESTS_REAL_LOOP();
    loop->run([]() -> task<> {
        socket_pair sockets;
        const auto begin = std::chrono::steady_clock::now();
        const std::string text = co_await fate(with_timeout(20ms, receive(sockets.b)));
        CHECK(contains(text, "limit of 20 ms exceeded"));
        CHECK(std::chrono::steady_clock::now() - begin >= 20ms);
        std::array<std::byte, 8> room{};
        const std::string direct = co_await fate(with_timeout(1ms, recv_op{sockets.b, room}));
        CHECK(direct.starts_with("recv "));
        CHECK(contains(direct, ": time limit of 1 ms exceeded"));
        auto reader = spawn(receive, fd_ref{sockets.b});
        co_await sleep(1ms);
        reader.cancel();
        const std::string cancelled = co_await fate(reader.get());
        CHECK(cancelled == "cancelled");
        // Nothing was lost: the next receive gets what is sent now.
        co_await send_all_op{sockets.a, bytes_of("after")};
        const std::string after = co_await receive(sockets.b);
        CHECK((!after.empty() && std::string_view{"after"}.starts_with(after)));
    }());
}

TEST_CASE("a thousand receives that race their limits lose no byte", "[real]") {
    RINGLET_TESTS_REAL_LOOP();
    loop->run([]() -> task<> {
        socket_pair sockets;
        constexpr int count = 1000;
        auto writer = spawn(
            [](fd_ref to) -> task<> {
                for (int i = 0; i < count; ++i) {
                    co_await send_all_op{to, bytes_of("x")};
                    co_await sleep(std::chrono::microseconds{i % 60});
                }
            },
            fd_ref{sockets.a});
        int got = 0;
        int missed = 0;
        std::array<std::byte, 16> room{};
        while (got < count) {
            auto n = co_await ringlet::as_result(with_timeout(30us, recv_op{sockets.b, room}));
            if (n)
                got += static_cast<int>(*n);
            else
                ++missed;
        }
        co_await writer.join();
        CHECK(got == count);
        CHECK(missed < 1'000'000);
    }());
}

TEST_CASE("files are opened, written, read, measured and removed", "[real][orderly]") {
    RINGLET_TESTS_REAL_LOOP();
    std::string directory = "/tmp/ringlet-test-XXXXXX";
    REQUIRE(::mkdtemp(directory.data()) != nullptr);
    const owned_fd folder{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    loop->run([](fd_ref dir) -> task<> {
        open_how how{};
        how.flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
        how.mode = 0600;
        owned_fd file = co_await openat2_op{dir, "file", how};
        co_await write_all_op{file, bytes_of("0123456789"), 0};
        std::array<std::byte, 16> room{};
        const std::size_t n = co_await read_op{file, room, 4};
        CHECK(n == 6);
        const std::size_t all = co_await read_full_op{file, room, 0};
        CHECK(all == 10);
        struct statx status{};
        co_await statx_op{dir, "file", 0, STATX_SIZE, status};
        CHECK(status.stx_size == 10);
        const std::string again = co_await fate(openat2_op{dir, "file", how});
        CHECK(contains(again, "open file"));
        CHECK(contains(again, "File exists"));
        co_await unlinkat_op{dir, "file"};
        how.flags = O_RDONLY;
        how.mode = 0;
        auto gone = co_await ringlet::as_result(openat2_op{dir, "file", how});
        CHECK(gone.error() == std::errc::no_such_file_or_directory);
    }(folder));
    CHECK(::rmdir(directory.c_str()) == 0);
}

TEST_CASE("tiny queues take many operations at once", "[real]") {
    ringlet::loop_options options;
    options.ring.sq_entries = 2;
    options.ring.cq_entries = 4;
    RINGLET_TESTS_REAL_LOOP(options);
    loop->run([]() -> task<> {
        const auto nops = []() -> task<int> {
            for (int i = 0; i < 10; ++i) co_await nop_op{};
            co_return 1;
        };
        std::vector<task<int>> many;
        for (int i = 0; i < 300; ++i) many.push_back(nops());
        const auto ones = co_await ringlet::when_all(std::move(many));
        CHECK(ones.size() == 300);
        // A cancellation of many, through the same queues.
        socket_pair sockets{SOCK_DGRAM};
        std::vector<task<std::string>> waiting;
        for (int i = 0; i < 100; ++i) waiting.push_back(fate(with_timeout(5ms, receive(sockets.b))));
        const auto fates = co_await ringlet::when_all(std::move(waiting));
        for (const std::string& f : fates) CHECK(contains(f, "limit of 5 ms exceeded"));
    }());
}

TEST_CASE("few buffers serve many connections, one after the other", "[real]") {
    ringlet::loop_options options;
    options.buffers = 2;
    options.buffers_max = 2;
    options.buffer_bytes = 512;
    RINGLET_TESTS_REAL_LOOP(options);
    loop->run([]() -> task<> {
        constexpr int count = 40;
        std::vector<socket_pair> sockets(count);
        std::vector<ringlet::job<std::size_t>> readers;
        const auto read_all = [](fd_ref from) -> task<std::size_t> {
            std::size_t total = 0;
            bool more = true;
            for (;;) {
                auto lease = co_await recv_provided_op{from, more};
                if (lease.empty()) co_return total;
                total += lease.size();
                co_await sleep(100us);  // holds the buffer
            }
        };
        for (auto& s : sockets) readers.push_back(spawn(read_all, fd_ref{s.b}));
        co_await ringlet::yield();
        const std::string text(2000, 'x');
        for (auto& s : sockets) {
            co_await send_all_op{s.a, bytes_of(text)};
            s.a.reset();
        }
        const ringlet::join_options limit{20s};
        const std::size_t ended = co_await ringlet::joinall(readers, limit);
        CHECK(ended == count);
        std::size_t total = 0;
        for (auto& r : readers) {
            if (r.ready()) total += co_await r.get();
        }
        CHECK(total == count * text.size());
        CHECK(ringlet::loop::current().buffers().leased() == 0);
    }());
}

TEST_CASE("spinning before sleep loses neither completions nor timers", "[real]") {
    ringlet::loop_options options;
    options.spin = 200us;
    RINGLET_TESTS_REAL_LOOP(options);
    loop->run([]() -> task<> {
        socket_pair sockets;
        for (int i = 0; i < 100; ++i) {
            auto reader = spawn(receive, fd_ref{sockets.b});
            co_await ringlet::yield();
            co_await send_all_op{sockets.a, bytes_of("p")};
            const std::string text = co_await reader.get();
            CHECK(text == "p");
        }
        co_await sleep(1ms);
        const std::string limited = co_await fate(with_timeout(1ms, receive(sockets.b)));
        CHECK(contains(limited, "limit of 1 ms exceeded"));
    }());
}
