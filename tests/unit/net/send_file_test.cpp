// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support.hpp"
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/send_file.hpp>
#include <ringlet/ringlet.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

#include <sys/socket.h>
#include <unistd.h>

using namespace ringlet;
using namespace ringlet_tests;
using namespace std::chrono_literals;

namespace {

// A file without a name that holds `bytes` zeros, and is in memory.
io::owned_fd file_of(std::size_t bytes) {
    std::string path = "/tmp/ringlet-send-file-XXXXXX";
    io::owned_fd file{::mkstemp(path.data())};
    REQUIRE(file);
    ::unlink(path.c_str());
    const std::string content(bytes, '\0');
    REQUIRE(::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    return file;
}

task<std::size_t> read_after(std::chrono::milliseconds pause, net::tcp_stream& from) {
    co_await sleep(pause);
    std::size_t total = 0;
    std::array<std::byte, 65536> block;
    while (const std::size_t n = co_await from.recv(block)) total += n;
    co_return total;
}

task<> send_and_close(net::tcp_stream to, const io::owned_fd& file, std::uint64_t offset, std::uint64_t bytes,
                      std::uint64_t& sent) {
    net::send_progress progress{to.socket(), 30s};
    co_await net::send_file(progress, file, offset, bytes, sent);
}

struct outcome {
    std::uint64_t sent = 0;
    std::size_t received = 0;
    std::uint64_t calls = 0;
};

task<outcome> send_to_a_slow_reader_that_has_closed_its_half(std::size_t bytes) {
    auto listener = any_listener();
    net::tcp_stream reader = co_await net::tcp_stream::connect(listener.local_endpoint());
    net::tcp_stream stream = co_await listener.accept();
    co_await reader.shutdown_send();
    const io::owned_fd file = file_of(bytes);
    outcome out;
    const std::uint64_t before = io::sys::calls;
    auto both =
        co_await when_all(send_and_close(std::move(stream), file, 0, bytes, out.sent), read_after(200ms, reader));
    out.received = std::get<1>(both);
    out.calls = io::sys::calls - before;
    co_return out;
}

task<outcome> send_beyond_the_end() {
    auto listener = any_listener();
    net::tcp_stream reader = co_await net::tcp_stream::connect(listener.local_endpoint());
    net::tcp_stream stream = co_await listener.accept();
    const io::owned_fd file = file_of(100'000);
    outcome out;
    auto both =
        co_await when_all(send_and_close(std::move(stream), file, 1'000, 1'000'000, out.sent), read_after(0ms, reader));
    out.received = std::get<1>(both);
    co_return out;
}

task<> note_when_it_comes(net::tcp_stream& from, const std::uint64_t& sent, std::optional<std::uint64_t>& seen) {
    std::array<std::byte, 1> room;
    const std::size_t n = co_await from.recv(room);
    CHECK(n == 1);
    seen = sent;
}

// How much of a file has gone to one who takes all at once, a file in place of a socket, when somebody else gets what he
// waits for.
task<std::optional<std::uint64_t>> sent_before_others_go_on(std::size_t bytes) {
    auto listener = any_listener();
    net::tcp_stream here = co_await net::tcp_stream::connect(listener.local_endpoint());
    net::tcp_stream there = co_await listener.accept();
    const io::owned_fd file = file_of(bytes);
    const io::owned_fd taker = file_of(0);
    std::uint64_t sent = 0;
    std::optional<std::uint64_t> seen;
    job<> other = spawn(note_when_it_comes, std::ref(there), std::cref(sent), std::ref(seen));
    co_await io::nop_op{};                               // its request is in the kernel
    CHECK(::send(here.socket().get(), "x", 1, 0) == 1);  // at once: the ring has not looked since
    net::send_progress progress{taker, 30s};
    co_await net::send_file_from_memory(progress, file, 0, bytes, sent);
    if (sent == 0) co_return std::nullopt;
    co_await other.join();
    co_return seen;
}

// What each of two times that the same file is sent asks of the kernel.
task<std::array<std::uint64_t, 2>> calls_of_sending_twice() {
    auto listener = any_listener();
    net::tcp_stream reader = co_await net::tcp_stream::connect(listener.local_endpoint());
    net::tcp_stream stream = co_await listener.accept();
    const io::owned_fd file = file_of(10'000);
    net::send_progress progress{stream.socket(), 30s};
    net::seen_pages seen;
    std::array<std::uint64_t, 2> calls{};
    for (std::uint64_t& each : calls) {
        const std::uint64_t before = io::sys::calls;
        std::uint64_t sent = 0;
        co_await net::send_file_from_memory(progress, file, 0, 10'000, sent, &seen);
        if (sent == 10'000) each = io::sys::calls - before;
    }
    co_return calls;
}

}  // namespace

TEST_CASE("pages that were seen a moment ago are not looked for again", "[net]") {
    const auto calls = ringlet::run(calls_of_sending_twice());
    if (calls[0] == 0) return;  // before Linux 6.5 nobody can tell what is in memory
    CHECK(calls[1] == calls[0] - 1);
}

TEST_CASE("what was seen of a file covers what lies in it", "[net]") {
    net::seen_pages seen;
    CHECK_FALSE(seen.cover(0, 1));
    seen.add(100, 50);
    seen.add(150, 50);  // one after the other
    CHECK(seen.cover(100, 100));
    CHECK(seen.cover(199, 1));
    CHECK_FALSE(seen.cover(99, 2));
    CHECK_FALSE(seen.cover(199, 2));
    seen.add(1000, 1);  // elsewhere: what was before is forgotten
    CHECK(seen.cover(1000, 1));
    CHECK_FALSE(seen.cover(150, 1));
}

// The ring reports a peer that will send nothing more to whoever waits to send, at once and again: 200 ms of looking would be
// a hundred thousand calls.
TEST_CASE("a reader that has closed its half and takes its time is not looked at all the while", "[net]") {
    const std::size_t bytes = std::size_t{32} << 20;
    const outcome got = ringlet::run(send_to_a_slow_reader_that_has_closed_its_half(bytes));
    CHECK(got.sent == bytes);
    CHECK(got.received == bytes);
    CHECK(got.calls < 20'000);
}

TEST_CASE("a reader that takes everything at once holds up nobody else", "[net][orderly]") {
    const std::optional<std::uint64_t> seen = run(sent_before_others_go_on, std::size_t{16} << 20);
    if (!seen) SKIP("nothing was seen in memory: cachestat(2), Linux 6.5");
    CHECK(*seen <= 8 << 20);  // one piece; with epoll, which is asked less often, some
}

TEST_CASE("a file that ends sooner is sent to its end", "[net]") {
    const outcome got = ringlet::run(send_beyond_the_end());
    CHECK(got.sent == 99'000);
    CHECK(got.received == 99'000);
}
