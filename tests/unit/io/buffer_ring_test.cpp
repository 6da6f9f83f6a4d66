// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/io/op/recv_provided.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace ringlet_tests;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet::io::buffer_lease;
using ringlet::io::fd_ref;
using ringlet::io::recv_provided_op;
using ringlet::testing::scripted_engine;

namespace {

ringlet::loop_options with_buffers(unsigned count, unsigned count_max = 0) {
    ringlet::loop_options options;
    options.buffers = count;
    options.buffers_max = std::max(count, count_max);
    options.buffer_bytes = 64;
    return options;
}

/// A kernel: sockets 1 to 9, with data or without. Looks for a buffer before it looks for data unless told to poll
/// first, as Linux does.
struct sockets {
    std::vector<int> queued = std::vector<int>(10, 0);
    std::vector<io_uring_sqe> polling;

    void receive(scripted_engine& engine, const io_uring_sqe& sqe, int& queue) {
        engine.complete_with_buffer(sqe.user_data, "data", queue > 1 ? IORING_CQE_F_SOCK_NONEMPTY : 0);
        if (engine.cqes[(*engine.cq_tail - 1) & engine.cq_mask].res > 0) --queue;  // else ENOBUFS
    }

    bool operator()(scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode == IORING_OP_ASYNC_CANCEL) {
            std::erase_if(polling, [&](const io_uring_sqe& p) { return p.user_data == sqe.addr; });
            return false;
        }
        int& queue = queued.at(static_cast<std::size_t>(sqe.fd));
        if (queue == 0)
            polling.push_back(sqe);
        else
            receive(engine, sqe, queue);
        return true;
    }
    void arrive(scripted_engine& engine, int fd) {
        ++queued.at(static_cast<std::size_t>(fd));
        for (std::size_t i = 0; i < polling.size(); ++i) {
            if (polling[i].fd != fd) continue;
            const io_uring_sqe sqe = polling[i];
            polling.erase(polling.begin() + static_cast<std::ptrdiff_t>(i));
            receive(engine, sqe, queued.at(static_cast<std::size_t>(fd)));
            return;
        }
    }
};

task<> hold(int fd, std::chrono::nanoseconds time, std::string& log) {
    bool more = true;
    buffer_lease lease = co_await recv_provided_op{fd_ref{fd}, more};
    log += static_cast<char>('0' + fd);
    co_await sleep(time);
}

}  // namespace

TEST_CASE("a provided buffer comes as a lease and goes back once", "[buffers]") {
    checked_loop loop{with_buffers(2)};
    sockets kernel;
    kernel.queued[1] = 2;
    loop.engine().set_script(std::ref(kernel));
    loop.run([]() -> task<> {
        bool more = true;
        auto& ring = ringlet::loop::current().buffers();
        auto lease = co_await recv_provided_op{fd_ref{1}, more};
        CHECK(std::string{reinterpret_cast<const char*>(lease.bytes().data()), lease.size()} == "data");
        CHECK(more);
        CHECK(ring.leased() == 1);
        lease.consume(2);
        CHECK(lease.size() == 2);
        auto second = co_await recv_provided_op{fd_ref{1}, more};
        CHECK_FALSE(more);
        CHECK(ring.leased() == 2);
        second = std::move(lease);
        CHECK(ring.leased() == 1);
        lease.release();
        CHECK(lease.empty());
        second.release();
        second.release();
        CHECK(ring.leased() == 0);
    }());
}

TEST_CASE("the request selects a buffer, and polls first where the socket was empty", "[buffers]") {
    checked_loop loop{with_buffers(2)};
    std::vector<io_uring_sqe> seen;
    loop.engine().set_script([&](auto& engine, const io_uring_sqe& sqe) {
        seen.push_back(sqe);
        engine.complete(sqe.user_data, 0);
        return true;
    });
    loop.run([]() -> task<> {
        bool more = true;
        auto end = co_await recv_provided_op{fd_ref{1}, more};
        CHECK(end.empty());
        CHECK_FALSE(more);
        auto again = co_await recv_provided_op{fd_ref{1}, more};
        CHECK(again.empty());
    }());
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].opcode == IORING_OP_RECV);
    CHECK((seen[0].flags & IOSQE_BUFFER_SELECT) != 0);
    CHECK((seen[0].ioprio & IORING_RECVSEND_POLL_FIRST) == 0);
    CHECK((seen[1].ioprio & IORING_RECVSEND_POLL_FIRST) != 0);
}

TEST_CASE("who finds no buffer waits until one comes back", "[buffers]") {
    checked_loop loop{with_buffers(1)};
    int tries = 0;
    loop.engine().set_script([&](auto& engine, const io_uring_sqe& sqe) {
        ++tries;
        engine.complete_with_buffer(sqe.user_data, "data");
        return true;
    });
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto a = spawn(hold, 1, 5ms, std::ref(l));
        auto b = spawn(hold, 2, 5ms, std::ref(l));
        auto c = spawn(hold, 3, 5ms, std::ref(l));
        co_await a.join();
        co_await b.join();
        co_await c.join();
    }(log));
    CHECK(log == "123");
    CHECK(loop.now() == 15ms);
    CHECK(tries < 12);
}

TEST_CASE("when all are out further buffers are made, up to the limit, and stay", "[buffers]") {
    checked_loop loop{with_buffers(1, 3)};
    loop.engine().set_script([](auto& engine, const io_uring_sqe& sqe) {
        engine.complete_with_buffer(sqe.user_data, "data");
        return true;
    });
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto& ring = ringlet::loop::current().buffers();
        for (int rush = 0; rush < 2; ++rush) {
            auto a = spawn(hold, 1, 5ms, std::ref(l));
            auto b = spawn(hold, 2, 5ms, std::ref(l));
            auto c = spawn(hold, 3, 5ms, std::ref(l));
            auto d = spawn(hold, 4, 5ms, std::ref(l));
            co_await sleep(1ms);
            CHECK(ring.leased() == 3);
            CHECK(ring.exhausted());
            CHECK_FALSE(ring.grow());
            co_await a.join();
            co_await b.join();
            co_await c.join();
            co_await d.join();
            CHECK(ring.leased() == 0);
        }
    }(log));
    CHECK(log == "12341234");
    CHECK(loop.now() == 20ms);
}

TEST_CASE("a job that waits for a buffer can be cancelled", "[buffers]") {
    checked_loop loop{with_buffers(1)};
    loop.engine().set_script([](auto& engine, const io_uring_sqe& sqe) {
        engine.complete_with_buffer(sqe.user_data, "data");
        return true;
    });
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto a = spawn(hold, 1, 10ms, std::ref(l));
        auto b = spawn(hold, 2, 0ms, std::ref(l));
        auto c = spawn(hold, 3, 0ms, std::ref(l));
        co_await sleep(1ms);
        b.cancel();
        const std::string text = co_await fate(b.get());
        CHECK(text == "cancelled");
        co_await a.join();
        co_await c.join();  // b has left the queue
    }(log));
    CHECK(log == "13");
    CHECK(loop.now() == 10ms);
}

TEST_CASE("an idle connection that found no buffer does not take the turn of one with data", "[buffers]") {
    // Linux answers ENOBUFS before it looks for data. The idle job parked as well, was woken first, and the buffer lay
    // there while the other slept for ever.
    checked_loop loop{with_buffers(1)};
    sockets kernel;
    kernel.queued[1] = 1;
    bool idle_refused = false;
    loop.engine().set_script([&](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.fd == 2 && sqe.opcode == IORING_OP_RECV && (sqe.ioprio & IORING_RECVSEND_POLL_FIRST) == 0) {
            idle_refused = true;
            engine.complete(sqe.user_data, -ENOBUFS);
            return true;
        }
        return kernel(engine, sqe);
    });
    kernel.queued[3] = 1;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto holder = spawn(hold, 1, 5ms, std::ref(l));
        auto idle = spawn(hold, 2, 0ms, std::ref(l));
        auto hungry = spawn(hold, 3, 0ms, std::ref(l));
        co_await sleep(1ms);
        co_await hungry.join();
        idle.cancel();
        co_await idle.join();
        co_await holder.join();
    }(log));
    CHECK(idle_refused);
    CHECK(log == "13");
    CHECK(loop.now() == 5ms);
}

TEST_CASE("who is woken for a buffer and meets the end of the stream passes the call on", "[buffers]") {
    checked_loop loop{with_buffers(1)};
    int receives_of_2 = 0;
    loop.engine().set_script([&](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.fd == 2 && sqe.opcode == IORING_OP_RECV && ++receives_of_2 > 2)
            engine.complete(sqe.user_data, 0);  // reset meanwhile
        else
            engine.complete_with_buffer(sqe.user_data, "data");
        return true;
    });
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto a = spawn(hold, 1, 5ms, std::ref(l));
        auto b = spawn(hold, 2, 0ms, std::ref(l));
        auto c = spawn(hold, 3, 0ms, std::ref(l));
        co_await a.join();
        co_await b.join();
        co_await c.join();
    }(log));
    CHECK(log == "123");
}

TEST_CASE("a buffer that a failed request has taken goes back at once", "[buffers]") {
    // A worker of the kernel chooses it before it looks for data, and tells of it with the error or the end.
    checked_loop loop{with_buffers(1)};
    int asked = 0;
    loop.engine().set_script([&](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_RECV) return false;
        ++asked;
        engine.complete_with_buffer(sqe.user_data, asked == 3 ? "data" : "", 0, asked == 1 ? -ECONNRESET : 0);
        return true;
    });
    loop.run([]() -> task<> {
        bool more = true;
        const auto failed = co_await ringlet::as_result(recv_provided_op{fd_ref{1}, more});
        CHECK(failed.error() == std::errc::connection_reset);
        const auto end = co_await recv_provided_op{fd_ref{1}, more};
        CHECK(end.empty());
        CHECK(ringlet::loop::current().buffers().leased() == 0);
        const auto data = co_await recv_provided_op{fd_ref{1}, more};
        CHECK(data.size() == 4);
    }());
}

TEST_CASE("a lease that outlives its loop aborts", "[buffers][abort]") {
    CHECK(contains(last_words([] {
                       buffer_lease kept;
                       ringlet::testing::virtual_loop loop{with_buffers(1)};
                       loop.engine().set_script([](auto& engine, const io_uring_sqe& sqe) {
                           engine.complete_with_buffer(sqe.user_data, "data");
                           return true;
                       });
                       loop.run([](buffer_lease& k) -> task<> {
                           bool more = true;
                           k = co_await recv_provided_op{fd_ref{1}, more};
                       }(kept));
                   }),
                   "a buffer lease outlived its loop"));
}
