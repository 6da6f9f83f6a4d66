// SPDX-License-Identifier: MIT
// On local datagram sockets: one whose reader is slow has no room, which one of UDP on this machine never shows.
#include "catch.hpp"
#include "echo/reply_batch.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/message_receiver.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace {

namespace io = ringlet::io;
using ringlet::net::datagram_lease;

struct pair_of_sockets {
    pair_of_sockets() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        near = io::owned_fd{ends[0]};
        far = io::owned_fd{ends[1]};
    }
    io::owned_fd near;
    io::owned_fd far;
};

constexpr int count = 40;  // more than a local socket keeps (net.unix.max_dgram_qlen is 10, elsewhere 512)

ringlet::task<> put_all(io::message_receiver& in, io::owned_fd& from, echo::reply_batch& batch) {
    for (int i = 0; i < count; ++i) {
        const std::string text = fmt::format("datagram {}", i);
        REQUIRE(::send(from.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
        datagram_lease lease = co_await in.next_as<datagram_lease>();
        batch.add(std::move(lease));
    }
}

// The far end takes nothing until it is told to; so that the near end has no room left.
void fill(const io::owned_fd& socket) {
    while (::send(socket.get(), "fill", 4, MSG_DONTWAIT) == 4) {
    }
    REQUIRE(errno == EAGAIN);
}

ringlet::task<> read_all(io::owned_fd& from, std::vector<std::string>& into) {
    std::array<std::byte, 64> room;
    while (into.size() < count) {
        const std::size_t n = co_await io::recv_op{from, room};
        const std::string text{ringlet::as_text(std::span{room}.first(n))};
        if (text != "fill") into.push_back(text);
    }
}

void check(const std::vector<std::string>& got) {
    REQUIRE(got.size() == count);
    for (int i = 0; i < count; ++i) CHECK(got[static_cast<std::size_t>(i)] == fmt::format("datagram {}", i));
}

ringlet::task<> wait_for_room() {
    pair_of_sockets asking;
    pair_of_sockets answering;
    io::message_receiver in{std::move(asking.far)};
    echo::reply_batch batch{answering.near};
    co_await put_all(in, asking.near, batch);
    fill(answering.near);
    int sent = 0;
    const auto told = [&sent](const datagram_lease&, const std::error_code& error) { sent += error ? 0 : 1; };
    CHECK_FALSE(batch.try_send(told));
    CHECK(sent == 0);
    std::vector<std::string> got;
    auto reader = ringlet::spawn(read_all, std::ref(answering.far), std::ref(got));
    co_await batch.send(told);
    co_await reader.get();
    CHECK(sent == count);
    check(got);
    CHECK(batch.try_send(told));  // nothing is left
    CHECK(sent == count);
}

ringlet::task<> one_that_fails() {
    pair_of_sockets asking;
    pair_of_sockets answering;
    io::message_receiver in{std::move(asking.far)};
    echo::reply_batch batch{answering.near};
    co_await put_all(in, asking.near, batch);
    answering.far.reset();
    std::vector<int> errors;
    const auto told = [&errors](const datagram_lease&, const std::error_code& error) {
        errors.push_back(error.value());
    };
    CHECK(batch.try_send(told));
    CHECK(errors.size() == count);
    CHECK(std::ranges::find(errors, 0) == errors.end());
    CHECK_FALSE(batch.full());
}

}  // namespace

TEST_CASE("replies that find no room wait for it, and none is lost or doubled", "[reply_batch]") {
    ringlet::run(wait_for_room);
}
TEST_CASE("each reply that fails is told of, and the others go on", "[reply_batch]") { ringlet::run(one_that_fails); }
