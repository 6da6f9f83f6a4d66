// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/io/receiver.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
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
using ringlet::io::buffer_lease;
using ringlet::io::owned_fd;
using ringlet::io::receiver;
using ringlet::testing::scripted_engine;

namespace {

ringlet::loop_options with_buffers(unsigned count) {
    ringlet::loop_options options;
    options.buffers = count;
    options.buffers_max = count;
    options.buffer_bytes = 64;
    return options;
}

// A descriptor that may be shut down and closed; the script answers for it.
owned_fd some_socket() {
    std::array<int, 2> pair{};
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data());
    ::close(pair[1]);
    return owned_fd{pair[0]};
}

std::string text_of(const buffer_lease& lease) {
    return {reinterpret_cast<const char*>(lease.bytes().data()), lease.size()};
}

std::size_t count_of(const scripted_engine& engine, std::uint8_t opcode) {
    std::size_t count = 0;
    for (const io_uring_sqe& sqe : engine.submitted()) count += sqe.opcode == opcode ? 1 : 0;
    return count;
}

void arrive(scripted_engine& engine, std::string_view bytes) {
    engine.complete_with_buffer(engine.pending_operation(IORING_OP_RECV).user_data, bytes, IORING_CQE_F_MORE);
}
// The only one of its request.
void arrive_alone(scripted_engine& engine, std::string_view bytes) {
    engine.complete_with_buffer(engine.pending_operation(IORING_OP_RECV).user_data, bytes, 0);
}
void end(scripted_engine& engine, std::int32_t res) {
    engine.complete(engine.pending_operation(IORING_OP_RECV).user_data, res);
}

task<> read_text(receiver& in, std::size_t count, std::string& log) {
    for (std::size_t i = 0; i < count; ++i) {
        const buffer_lease lease = co_await in.next();
        log += lease.empty() ? "." : text_of(lease);
    }
}

task<> read_new(std::size_t count, std::string& log) {
    receiver in{some_socket()};
    co_await read_text(in, count, log);
}

}  // namespace

TEST_CASE("after the first message one standing request brings message after message, then the end", "[receiver]") {
    checked_loop loop{with_buffers(4)};
    loop.engine().at(1ms, [](scripted_engine& engine) { arrive_alone(engine, "a"); });
    for (const auto& [when, what] : {std::pair{2ms, "b"}, std::pair{3ms, "c"}})
        loop.engine().at(when, [text = what](scripted_engine& engine) { arrive(engine, text); });
    loop.engine().at(4ms, [](scripted_engine& engine) { end(engine, 0); });
    std::string log;
    loop.run(read_new(5, log));
    CHECK(log == "abc..");  // the end is seen again and again
    CHECK(count_of(loop.engine(), IORING_OP_RECV) == 2);
    CHECK(count_of(loop.engine(), IORING_OP_ASYNC_CANCEL) == 0);
    CHECK((loop.engine().submitted()[0].ioprio & IORING_RECV_MULTISHOT) == 0);
    CHECK((loop.engine().submitted()[0].flags & IOSQE_BUFFER_SELECT) != 0);
    CHECK(loop.engine().submitted()[1].ioprio == IORING_RECV_MULTISHOT);  // it looks for data first
    CHECK((loop.engine().submitted()[1].flags & IOSQE_BUFFER_SELECT) != 0);
}

TEST_CASE("a wait that times out sends nothing to the kernel, and the next wait gets the data", "[receiver]") {
    checked_loop loop{with_buffers(4)};
    loop.engine().at(20ms, [](scripted_engine& engine) { arrive(engine, "late"); });
    loop.engine().at(30ms, [](scripted_engine& engine) { end(engine, 0); });
    std::string log;
    loop.run([](std::string& seen) -> task<> {
        receiver in{some_socket()};
        const auto first = co_await ringlet::as_result(ringlet::with_timeout(10ms, in.next()));
        CHECK(first.error() == std::errc::timed_out);
        co_await read_text(in, 2, seen);
    }(log));
    CHECK(log == "late.");
    CHECK(count_of(loop.engine(), IORING_OP_ASYNC_CANCEL) == 0);
}

TEST_CASE("what comes while nobody waits is kept, and at the limit receiving pauses", "[receiver]") {
    checked_loop loop{with_buffers(8)};
    for (const auto& [when, what] :
         {std::pair{1ms, "1"}, std::pair{2ms, "2"}, std::pair{3ms, "3"}, std::pair{4ms, "4"}})
        loop.engine().at(when, [text = what](scripted_engine& engine) { arrive(engine, text); });
    loop.engine().at(60ms, [](scripted_engine& engine) { arrive(engine, "5"); });
    loop.engine().at(70ms, [](scripted_engine& engine) { end(engine, 0); });
    std::string log;
    loop.run([](std::string& seen, scripted_engine& engine) -> task<> {
        receiver in{some_socket()};
        const auto none = co_await ringlet::as_result(ringlet::with_timeout(500us, in.next()));  // arms the request
        CHECK_FALSE(none);
        co_await ringlet::sleep(40ms);
        CHECK(ringlet::loop::current().buffers().leased() == receiver::kept_max);
        CHECK(engine.pending() == 0);  // told to stop, and it has
        co_await read_text(in, 6, seen);
    }(log, loop.engine()));
    CHECK(log == "12345.");
    CHECK(count_of(loop.engine(), IORING_OP_ASYNC_CANCEL) == 1);
    CHECK(count_of(loop.engine(), IORING_OP_RECV) == 2);
}

TEST_CASE("a request that is told to stop while a worker of the kernel has it has not failed", "[receiver]") {
    checked_loop loop{with_buffers(8)};
    loop.engine().at(1ms, [](scripted_engine& engine) {
        for (unsigned i = 0; i < receiver::kept_max; ++i) arrive(engine, "x");
    });
    loop.engine().at(60ms, [](scripted_engine& engine) { arrive(engine, "y"); });
    loop.engine().at(70ms, [](scripted_engine& engine) { end(engine, 0); });
    loop.engine().set_script([](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_ASYNC_CANCEL) return false;
        engine.complete(sqe.user_data, 0);
        engine.complete(sqe.addr, -EINTR);
        return true;
    });
    std::string log;
    loop.run([](std::string& seen) -> task<> {
        receiver in{some_socket()};
        const auto none = co_await ringlet::as_result(ringlet::with_timeout(500us, in.next()));
        CHECK_FALSE(none);
        co_await ringlet::sleep(40ms);
        co_await read_text(in, 6, seen);
    }(log));
    CHECK(log == "xxxxy.");
}

TEST_CASE("an error of the socket is thrown after what came before it", "[receiver]") {
    checked_loop loop{with_buffers(4)};
    loop.engine().at(1ms, [](scripted_engine& engine) {
        arrive(engine, "x");
        end(engine, -ECONNRESET);
    });
    std::string log;
    try {
        loop.run(read_new(2, log));
        FAIL("no error");
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::connection_reset);
    }
    CHECK(log == "x");
}

TEST_CASE("a receiver that is destroyed while its request stands gives late buffers back", "[receiver]") {
    checked_loop loop{with_buffers(4)};
    loop.engine().set_script([](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_ASYNC_CANCEL) return false;
        // Data are faster than the cancellation.
        const auto target = sqe.addr;
        engine.complete(sqe.user_data, 0);
        engine.complete_with_buffer(target, "late", IORING_CQE_F_MORE);
        engine.complete(target, -ECANCELED);
        return true;
    });
    loop.run([]() -> task<> {
        receiver in{some_socket()};
        const auto none = co_await ringlet::as_result(ringlet::with_timeout(1ms, in.next()));
        CHECK_FALSE(none);
    }());  // checked_loop sees to it that no lease, request or descriptor is left
}

TEST_CASE("a cancelled waiter leaves the data to the next", "[receiver]") {
    checked_loop loop{with_buffers(4)};
    loop.engine().at(5ms, [](scripted_engine& engine) { arrive(engine, "mine"); });
    loop.engine().at(6ms, [](scripted_engine& engine) { end(engine, 0); });
    std::string log;
    loop.run([](std::string& seen) -> task<> {
        receiver in{some_socket()};
        std::string nothing;
        auto first = ringlet::spawn(read_text, std::ref(in), std::size_t{1}, std::ref(nothing));
        co_await ringlet::sleep(1ms);
        first.cancel();
        co_await first.join();
        CHECK(nothing.empty());
        co_await read_text(in, 2, seen);
    }(log));
    CHECK(log == "mine.");
}

TEST_CASE("a receiver that finds no buffer goes on when one comes back", "[receiver]") {
    checked_loop loop{with_buffers(1)};
    loop.engine().at(1ms, [](scripted_engine& engine) { arrive(engine, "first"); });
    // Data come, and the only buffer is out: the kernel ends the request.
    loop.engine().at(2ms, [](scripted_engine& engine) { end(engine, -ENOBUFS); });
    loop.engine().at(50ms, [](scripted_engine& engine) { arrive(engine, "second"); });
    loop.engine().at(51ms, [](scripted_engine& engine) { end(engine, 0); });
    std::string log;
    loop.run([](std::string& seen, scripted_engine& engine) -> task<> {
        receiver in{some_socket()};
        {
            const buffer_lease held = co_await in.next();
            seen += text_of(held);
            co_await ringlet::sleep(20ms);
            CHECK(engine.pending() == 0);  // nobody waits, so it asks for no buffer
        }
        co_await read_text(in, 2, seen);
    }(log, loop.engine()));
    CHECK(log == "firstsecond.");
}

TEST_CASE("a receiver without a waiter takes no more when buffers run out", "[receiver]") {
    // Else it would collect the loop's buffers for a handler that is stuck in a send.
    ringlet::loop_options options = with_buffers(1);
    options.buffers_max = 100;
    checked_loop loop{options};
    loop.engine().at(1ms, [](scripted_engine& engine) { arrive(engine, "kept"); });
    loop.engine().at(2ms, [](scripted_engine& engine) { end(engine, -ENOBUFS); });
    loop.engine().at(30ms, [](scripted_engine& engine) { end(engine, 0); });
    std::string log;
    loop.run([](std::string& seen, scripted_engine& engine) -> task<> {
        receiver in{some_socket()};
        const auto none = co_await ringlet::as_result(ringlet::with_timeout(500us, in.next()));  // arms the request
        CHECK_FALSE(none);
        co_await ringlet::sleep(20ms);
        CHECK(engine.pending() == 0);
        CHECK(ringlet::loop::current().buffers().leased() == 1);
        co_await read_text(in, 2, seen);
    }(log, loop.engine()));
    CHECK(log == "kept.");
    CHECK(count_of(loop.engine(), IORING_OP_RECV) == 2);
}

TEST_CASE("a receiver that polled first asks again after the data: the end may have come before", "[receiver]") {
    // Linux 6.18: data and a reset are there, the request is armed with POLL_FIRST, the data come, and nothing else does.
    checked_loop loop{with_buffers(1)};
    loop.engine().at(1ms, [](scripted_engine& engine) { arrive(engine, "a"); });
    loop.engine().at(2ms, [](scripted_engine& engine) { end(engine, -ENOBUFS); });
    loop.engine().set_script([&](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_RECV || engine.submitted().size() == 1) return false;
        if ((sqe.ioprio & IORING_RECVSEND_POLL_FIRST) != 0)
            engine.complete_with_buffer(sqe.user_data, "b", IORING_CQE_F_MORE);
        else
            engine.complete(sqe.user_data, -ECONNRESET);
        return true;
    });
    std::string log;
    loop.run([](std::string& seen) -> task<> {
        receiver in{some_socket()};
        {
            const buffer_lease held = co_await in.next();
            seen += text_of(held);
            co_await ringlet::sleep(20ms);
        }
        co_await read_text(in, 1, seen);
        const auto last = co_await ringlet::as_result(in.next());
        CHECK(last.error() == std::errc::connection_reset);
    }(log));
    CHECK(log == "ab");
}

TEST_CASE("a receiver that polled first asks again when all of the data are there, be they several buffers",
          "[receiver]") {
    checked_loop loop{with_buffers(2)};
    loop.engine().at(1ms, [](scripted_engine& engine) { arrive_alone(engine, "a"); });
    loop.engine().set_script([](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_RECV) return false;
        const std::size_t asked = count_of(engine, IORING_OP_RECV);
        if (asked == 1) return false;
        if (asked == 2) {
            engine.complete(sqe.user_data, -ENOBUFS);
        } else if ((sqe.ioprio & IORING_RECVSEND_POLL_FIRST) != 0) {
            engine.complete_with_buffer(sqe.user_data, "b", IORING_CQE_F_MORE | IORING_CQE_F_SOCK_NONEMPTY);
            engine.complete_with_buffer(sqe.user_data, "c", IORING_CQE_F_MORE);
        } else {
            engine.complete(sqe.user_data, -ECONNRESET);
        }
        return true;
    });
    std::string log;
    loop.run([](std::string& seen) -> task<> {
        receiver in{some_socket()};
        co_await read_text(in, 3, seen);
        const auto last = co_await ringlet::as_result(ringlet::with_timeout(1s, in.next()));
        CHECK(last.error() == std::errc::connection_reset);
    }(log));
    CHECK(log == "abc");
}

TEST_CASE("two receivers that both find no buffer do not wake each other for ever", "[receiver]") {
    checked_loop loop{with_buffers(1)};
    // The only buffer went to the first; whoever asks from then on finds none, for a while.
    std::size_t asked = 0;
    bool back = false;
    loop.engine().set_script([&](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_RECV) return false;
        if (++asked == 1 || back)
            engine.complete_with_buffer(sqe.user_data, "x", IORING_CQE_F_MORE);
        else
            engine.complete(sqe.user_data, -ENOBUFS);
        return true;
    });
    loop.engine().at(30ms, [&](scripted_engine&) { back = true; });
    std::string log;
    loop.run([](std::string& seen, std::size_t& requests) -> task<> {
        receiver first{some_socket()};
        receiver second{some_socket()};
        receiver third{some_socket()};
        {
            const buffer_lease held = co_await first.next();
            auto b = ringlet::spawn(read_text, std::ref(second), std::size_t{1}, std::ref(seen));
            auto c = ringlet::spawn(read_text, std::ref(third), std::size_t{1}, std::ref(seen));
            co_await ringlet::sleep(10ms);
            const std::size_t before = requests;
            ringlet::loop::current().buffers().wake_one();  // for nothing, as when a third was faster
            co_await ringlet::sleep(10ms);
            CHECK(requests <= before + 4);
            b.cancel();
            c.cancel();
            co_await b.join();
            co_await c.join();
        }
        co_await ringlet::sleep(20ms);
        auto d = ringlet::spawn(read_text, std::ref(third), std::size_t{1}, std::ref(seen));
        co_await d.join();
    }(log, asked));
    CHECK(log == "x");
}

TEST_CASE("a parked receiver whose wait was given up does not take the buffer of one that waits", "[receiver]") {
    checked_loop loop{with_buffers(1)};
    std::size_t asked = 0;
    loop.engine().set_script([&](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_RECV) return false;
        ++asked;
        engine.complete_with_buffer(sqe.user_data, "x", IORING_CQE_F_MORE);  // or -ENOBUFS when there is none
        return true;
    });
    std::string log;
    loop.run([](std::string& seen) -> task<> {
        receiver first{some_socket()};
        receiver idle{some_socket()};
        receiver hungry{some_socket()};
        buffer_lease held = co_await first.next();
        const auto none = co_await ringlet::as_result(ringlet::with_timeout(1ms, idle.next()));
        CHECK(none.error() == std::errc::timed_out);
        auto reader = ringlet::spawn(read_text, std::ref(hungry), std::size_t{1}, std::ref(seen));
        co_await ringlet::sleep(1ms);
        held.release();
        co_await ringlet::with_timeout(1s, reader.join());
    }(log));
    CHECK(log == "x");
}

TEST_CASE("kept data go with the receiver, also after the run", "[receiver]") {
    checked_loop loop{with_buffers(4)};
    std::optional<receiver> outlives;
    outlives.emplace(some_socket());
    loop.engine().at(1ms, [](scripted_engine& engine) { arrive(engine, "kept"); });
    loop.run([](receiver& in) -> task<> {
        const auto none = co_await ringlet::as_result(ringlet::with_timeout(500us, in.next()));
        CHECK_FALSE(none);
        co_await ringlet::sleep(5ms);
    }(*outlives));
    outlives.reset();
}
