// SPDX-License-Identifier: MIT
#pragma once

// What the scenarios of the table have in common.

#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/testing/simulation.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include <sys/uio.h>

namespace ringlet_tests {

namespace io = ringlet::io;
namespace net = ringlet::net;
namespace testing = ringlet::testing;
using ringlet::as_bytes;
using ringlet::as_text;
using ringlet::task;
using namespace std::chrono_literals;

/// An awaitable gave what it must not give, whatever failed before. cancel_everywhere and fail_everywhere pass it on.
inline void expect(bool holds, const char* what) {
    if (!holds) throw std::logic_error{what};
}

/// What as_result gave has to be this error. Another one comes from elsewhere, and is thrown.
template <class Result, class Error>
void expect_error(const Result& outcome, Error wanted, const char* what) {
    expect(!outcome, what);
    if (outcome.error() != wanted) throw std::system_error{outcome.error()};
}

/// Awaits what has to run into its time limit.
template <class A>
task<> times_out(A awaitable) {
    const auto outcome = co_await ringlet::as_result(ringlet::with_timeout(3ms, std::move(awaitable)));
    expect_error(outcome, std::errc::timed_out, "a wait for nothing ended before its time limit");
}

/// A connection with both its ends.
struct connection {
    connection(net::tcp_stream one, net::tcp_stream other) noexcept : near{std::move(one)}, far{std::move(other)} {}
    net::tcp_stream near;
    net::tcp_stream far;
};
task<connection> connected();
/// Of Unix sockets.
task<connection> connected_locally();

task<> send_text(net::tcp_stream& to, std::string text);
task<> send_text_later(net::tcp_stream& to, std::string text);
/// What comes until the end of the stream, from a little later on.
task<std::size_t> receive_all_later(net::tcp_stream& from);
/// Exactly so many bytes; fewer only at the end of the stream.
task<std::string> receive_exactly(net::tcp_stream& from, std::size_t bytes);

inline net::tcp_stream as_it_is(net::tcp_stream stream) { return stream; }
std::array<iovec, 2> halves(const std::string& text);

/// Throws what errno says when `fd` is none.
io::owned_fd checked_fd(int fd, const char* what);
/// A socket that listens at `bound`, without the runtime.
io::owned_fd listening_socket(net::endpoint& bound);

struct pipe_ends {
    io::owned_fd reading;
    io::owned_fd writing;
};
pipe_ends make_pipe();
task<> write_later(io::fd_ref to, std::string text);

/// More than the buffers of a connection take.
inline constexpr std::size_t large_bytes = 400'000;

/// Awaits `receive` on one end of a connection: with data there already, with data that comes later, with none within a time
/// limit, and at the end of the stream, where it gives nothing.
template <class Near>
task<> receives(Near (*make)(net::tcp_stream), task<std::string> (*receive)(Near&),
                task<connection> (*connect)() = &connected) {
    connection both = co_await connect();
    Near near = make(std::move(both.near));
    co_await send_text(both.far, "early");
    co_await ringlet::sleep(1ms);
    const std::string early = co_await receive(near);
    expect(early == "early", "what had come was not received");
    const auto late = co_await ringlet::when_all(receive(near), send_text_later(both.far, "late"));
    expect(std::get<0>(late) == "late", "what came later was not received");
    co_await times_out(receive(near));
    co_await send_text(both.far, "after");
    const std::string after = co_await receive(near);
    expect(after == "after", "what came after a time limit was not received");
    both.far.close();
    const std::string end = co_await receive(near);
    expect(end.empty(), "something came after the end");
}

/// Awaits `send` on one end of a connection: what the kernel takes at once, and more than it takes while the peer does not
/// read yet. `send` gives how much was sent.
template <class Near>
task<> sends(Near (*make)(net::tcp_stream), task<std::size_t> (*send)(Near&, std::string),
             task<connection> (*connect)() = &connected) {
    connection both = co_await connect();
    Near near = make(std::move(both.near));
    const std::size_t sent = co_await send(near, "a little");
    const std::string little = co_await receive_exactly(both.far, sent);
    expect(little == std::string_view{"a little"}.substr(0, sent), "other bytes arrived than were sent");
    auto then_close = [](Near from, task<std::size_t> (*how)(Near&, std::string)) -> task<std::size_t> {
        co_return co_await how(from, std::string(large_bytes, 'x'));
    };
    const auto much = co_await ringlet::when_all(then_close(std::move(near), send), receive_all_later(both.far));
    expect(std::get<0>(much) == std::get<1>(much), "not all that was sent arrived");
}

}  // namespace ringlet_tests
