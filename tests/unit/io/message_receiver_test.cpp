// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/io/message_receiver.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

using namespace ringlet_tests;
using namespace std::chrono_literals;
using ringlet::task;
using ringlet::io::message_lease;
using ringlet::io::message_receiver;
using ringlet::io::owned_fd;
using ringlet::testing::scripted_engine;

namespace {

constexpr std::size_t room_bytes = 64;

ringlet::loop_options with_buffers(unsigned count) {
    ringlet::loop_options options;
    options.message_buffers = count;
    options.message_buffers_max = count;
    options.message_buffer_bytes = message_lease::overhead + room_bytes;
    return options;
}

// A descriptor that may be closed; the script answers for it.
owned_fd some_socket() { return owned_fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)}; }

std::string text_of(const message_lease& lease) {
    return {reinterpret_cast<const char*>(lease.bytes().data()), lease.size()};
}

/// A message as the kernel lays it out in the buffer.
std::string laid_out(std::string_view text, std::string_view name = "sender", std::string_view control = "") {
    io_uring_recvmsg_out told{};
    told.namelen = static_cast<std::uint32_t>(name.size());
    told.controllen = static_cast<std::uint32_t>(control.size());
    told.payloadlen = static_cast<std::uint32_t>(text.size());
    std::string whole(message_lease::overhead, '\0');
    std::memcpy(whole.data(), &told, sizeof told);
    name.copy(whole.data() + message_lease::header_bytes, name.size());
    control.copy(whole.data() + message_lease::header_bytes + message_lease::name_bytes_max, control.size());
    return whole.append(text.substr(0, room_bytes));
}

void arrive(scripted_engine& engine, std::string_view text, std::uint32_t flags = IORING_CQE_F_MORE) {
    engine.complete_with_buffer(engine.pending_operation(IORING_OP_RECVMSG).user_data, laid_out(text), flags);
}
void end(scripted_engine& engine, std::int32_t res) {
    engine.complete(engine.pending_operation(IORING_OP_RECVMSG).user_data, res);
}

std::size_t count_of(const scripted_engine& engine, std::uint8_t opcode) {
    std::size_t count = 0;
    for (const io_uring_sqe& sqe : engine.submitted()) count += sqe.opcode == opcode ? 1 : 0;
    return count;
}

task<> read_text(message_receiver& in, std::size_t count, std::string& log) {
    for (std::size_t i = 0; i < count; ++i) {
        const message_lease lease = co_await in.next();
        log += lease.size() == 0 ? "." : text_of(lease);
    }
}

task<> read_new(std::size_t count, std::string& log) {
    message_receiver in{some_socket()};
    co_await read_text(in, count, log);
}

task<> arm(message_receiver& in) {
    const auto none = co_await ringlet::as_result(ringlet::with_timeout(500us, in.next()));
    CHECK_FALSE(none);
}

}  // namespace

TEST_CASE("one standing request brings message after message", "[message_receiver]") {
    checked_loop loop{with_buffers(4)};
    for (const auto& [when, what] : {std::pair{1ms, "a"}, std::pair{2ms, "b"}, std::pair{3ms, "c"}})
        loop.engine().at(when, [text = what](scripted_engine& engine) { arrive(engine, text); });
    std::string log;
    loop.run(read_new(3, log));
    CHECK(log == "abc");
    CHECK(count_of(loop.engine(), IORING_OP_RECVMSG) == 1);
    const io_uring_sqe& sqe = loop.engine().submitted()[0];
    CHECK((sqe.ioprio & IORING_RECV_MULTISHOT) != 0);
    CHECK((sqe.flags & IOSQE_BUFFER_SELECT) != 0);
    CHECK(sqe.msg_flags == MSG_TRUNC);
}

TEST_CASE("a message comes with its sender, its control data and its full size", "[message_receiver]") {
    checked_loop loop{with_buffers(4)};
    loop.engine().at(1ms, [](scripted_engine& engine) {
        const std::string whole = laid_out(std::string(100, 'x'), "from here", "to there");
        engine.complete_with_buffer(engine.pending_operation(IORING_OP_RECVMSG).user_data, whole, IORING_CQE_F_MORE);
    });
    loop.run([]() -> task<> {
        message_receiver in{some_socket()};
        const message_lease lease = co_await in.next();
        CHECK(ringlet::as_text(lease.name()) == "from here");
        CHECK(ringlet::as_text(lease.control()) == "to there");
        CHECK(lease.size() == room_bytes);
        CHECK(lease.full_size() == 100);
        CHECK(lease.truncated());
        CHECK(reinterpret_cast<std::uintptr_t>(lease.control().data()) % alignof(cmsghdr) == 0);
    }());
}

TEST_CASE("an empty message ends the request, and the next wait asks again", "[message_receiver]") {
    checked_loop loop{with_buffers(4)};
    loop.engine().at(1ms, [](scripted_engine& engine) { arrive(engine, "", 0); });
    loop.engine().at(2ms, [](scripted_engine& engine) { arrive(engine, "then"); });
    std::string log;
    loop.run(read_new(2, log));
    CHECK(log == ".then");
    CHECK(count_of(loop.engine(), IORING_OP_RECVMSG) == 2);
}

TEST_CASE("an error is told once, after what came before it", "[message_receiver]") {
    checked_loop loop{with_buffers(4)};
    loop.engine().at(1ms, [](scripted_engine& engine) {
        arrive(engine, "x");
        end(engine, -ECONNREFUSED);
    });
    loop.engine().at(5ms, [](scripted_engine& engine) { arrive(engine, "y"); });
    std::string log;
    loop.run([](std::string& seen) -> task<> {
        message_receiver in{some_socket()};
        co_await read_text(in, 1, seen);
        CHECK_FALSE(in.try_next());
        const auto refused = co_await ringlet::as_result(in.next());
        CHECK(refused.error() == std::errc::connection_refused);
        co_await read_text(in, 1, seen);
    }(log));
    CHECK(log == "xy");
}

TEST_CASE("a socket that was shut says so each time", "[message_receiver]") {
    checked_loop loop{with_buffers(4)};
    loop.engine().set_script([](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_RECVMSG) return false;
        engine.complete_with_buffer(sqe.user_data, laid_out("", ""));
        return true;
    });
    loop.run([]() -> task<> {
        message_receiver in{some_socket()};
        for (int i = 0; i < 3; ++i) {
            const auto shut = co_await ringlet::as_result(in.next());
            CHECK(shut.error().value() == ESHUTDOWN);
        }
        CHECK_FALSE(in.try_next());
    }());
}

TEST_CASE("what has come already is taken without waiting", "[message_receiver]") {
    checked_loop loop{with_buffers(8)};
    loop.engine().at(1ms, [](scripted_engine& engine) {
        for (const char* text : {"1", "2", "3"}) arrive(engine, text);
    });
    std::string log;
    loop.run([](std::string& seen) -> task<> {
        message_receiver in{some_socket()};
        CHECK_FALSE(in.try_next());
        co_await read_text(in, 1, seen);
        while (const auto more = in.try_next()) seen += text_of(*more);
        CHECK_FALSE(in.try_next());
    }(log));
    CHECK(log == "123");
}

TEST_CASE("at the limit of what is kept for nobody receiving pauses", "[message_receiver]") {
    checked_loop loop{with_buffers(64)};
    loop.engine().at(1ms, [](scripted_engine& engine) {
        for (unsigned i = 0; i < message_receiver::kept_max; ++i) arrive(engine, "k");
    });
    loop.engine().at(60ms, [](scripted_engine& engine) { arrive(engine, "l"); });
    std::string log;
    loop.run([](std::string& seen, scripted_engine& engine) -> task<> {
        message_receiver in{some_socket()};
        co_await arm(in);
        co_await ringlet::sleep(40ms);
        CHECK(ringlet::loop::current().message_buffers().leased() == message_receiver::kept_max);
        CHECK(engine.pending() == 0);  // told to stop, and it has
        co_await read_text(in, message_receiver::kept_max + 1, seen);
    }(log, loop.engine()));
    CHECK(log == std::string(message_receiver::kept_max, 'k') + "l");
    CHECK(count_of(loop.engine(), IORING_OP_ASYNC_CANCEL) == 2);
    CHECK(count_of(loop.engine(), IORING_OP_RECVMSG) == 2);
}

TEST_CASE("a message receiver that finds no buffer goes on when one comes back", "[message_receiver]") {
    checked_loop loop{with_buffers(1)};
    loop.engine().at(1ms, [](scripted_engine& engine) { arrive(engine, "first"); });
    // The only buffer is out: the kernel ends the request.
    loop.engine().at(2ms, [](scripted_engine& engine) { end(engine, -ENOBUFS); });
    loop.engine().at(50ms, [](scripted_engine& engine) { arrive(engine, "second"); });
    std::string log;
    loop.run([](std::string& seen, scripted_engine& engine) -> task<> {
        message_receiver in{some_socket()};
        message_lease held = co_await in.next();
        seen += text_of(held);
        auto reader = ringlet::spawn(read_text, std::ref(in), std::size_t{1}, std::ref(seen));
        co_await ringlet::sleep(20ms);
        CHECK(engine.pending() == 0);  // it would find none
        held.release();
        co_await reader.join();
    }(log, loop.engine()));
    CHECK(log == "firstsecond");
}

TEST_CASE("a cancelled wait for a message leaves it to the next", "[message_receiver]") {
    checked_loop loop{with_buffers(4)};
    loop.engine().at(5ms, [](scripted_engine& engine) { arrive(engine, "mine"); });
    std::string log;
    loop.run([](std::string& seen) -> task<> {
        message_receiver in{some_socket()};
        std::string nothing;
        auto first = ringlet::spawn(read_text, std::ref(in), std::size_t{1}, std::ref(nothing));
        co_await ringlet::sleep(1ms);
        first.cancel();
        co_await first.join();
        CHECK(nothing.empty());
        co_await read_text(in, 1, seen);
    }(log));
    CHECK(log == "mine");
}

TEST_CASE("a message receiver that is destroyed while its request stands gives late buffers back",
          "[message_receiver]") {
    checked_loop loop{with_buffers(4)};
    loop.engine().set_script([](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_ASYNC_CANCEL) return false;
        // A message is faster than the cancellation.
        const auto target = sqe.addr;
        engine.complete(sqe.user_data, 0);
        engine.complete_with_buffer(target, laid_out("late"), IORING_CQE_F_MORE);
        engine.complete(target, -ECANCELED);
        return true;
    });
    std::optional<message_receiver> outlives;
    outlives.emplace(some_socket());
    loop.run([](std::optional<message_receiver>& other) -> task<> {
        message_receiver in{some_socket()};
        co_await arm(in);
        co_await arm(*other);
    }(outlives));  // checked_loop sees to it that no lease, request or descriptor is left
    outlives.reset();
}
