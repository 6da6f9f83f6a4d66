// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <chrono>
#include <limits>
#include <string>
#include <system_error>
#include <type_traits>

#include <fcntl.h>

using namespace ringlet_tests;
using ringlet::as_result;
using ringlet::shield;
using ringlet::sleep;
using ringlet::task;
using ringlet::with_deadline;
using ringlet::with_timeout;
using ringlet::io::nop_op;
using std::chrono::nanoseconds;

namespace {

task<int> late_value(nanoseconds after, int value) {
    co_await sleep(after);
    co_return value;
}
task<> naps(nanoseconds each, int count) {
    for (int i = 0; i < count; ++i) co_await sleep(each);
}

}  // namespace

TEST_CASE("what ends within its limit is not disturbed", "[timeout]") {
    checked_loop loop;
    CHECK(loop.run(fate(with_timeout(10ms, sleep(9ms)))) == "done");
    CHECK(loop.now() == 9ms);
}

TEST_CASE("a limit ends a sleep, an operation and a task exactly when it is due", "[timeout]") {
    checked_loop loop;
    CHECK(contains(loop.run(fate(with_timeout(10ms, sleep(1h)))), "sleep: time limit of 10 ms exceeded"));
    CHECK(loop.now() == 10ms);
    loop.engine().set_script([](auto&, const io_uring_sqe& sqe) { return sqe.opcode == IORING_OP_NOP; });
    CHECK(contains(loop.run(fate(with_timeout(10ms, nop_op{}))), "nop: time limit of 10 ms exceeded"));
    CHECK(loop.now() == 20ms);
    CHECK(contains(loop.run(fate(with_timeout(10ms, naps(3ms, 100)))), "limit of 10 ms exceeded"));
    CHECK(loop.now() == 30ms);
}

TEST_CASE("of nested limits the one that is due first speaks", "[timeout]") {
    checked_loop loop;
    SECTION("the inner one, and the outer goes on") {
        const auto inner_first = [](checked_loop& l) -> task<std::string> {
            auto text = co_await fate(with_timeout(10ms, sleep(1h)));
            CHECK(l.now() == 10ms);
            co_await sleep(5ms);
            co_return text;
        };
        loop.run([](auto f, checked_loop& l) -> task<> {
            const std::string text = co_await with_timeout(20ms, f(l));
            CHECK(contains(text, "limit of 10 ms exceeded"));
        }(inner_first, loop));
        CHECK(loop.now() == 15ms);
    }
    SECTION("directly around one operation") {
        CHECK(contains(loop.run(fate(with_timeout(20ms, with_timeout(10ms, sleep(1h))))), "limit of 10 ms exceeded"));
        CHECK(contains(loop.run(fate(with_timeout(20ms, with_timeout(30ms, sleep(1h))))), "limit of 20 ms exceeded"));
        CHECK(
            contains(loop.run(fate(with_timeout(20ms, with_timeout(10ms, naps(1ms, 99))))), "limit of 10 ms exceeded"));
        CHECK(
            contains(loop.run(fate(with_timeout(20ms, with_timeout(30ms, naps(1ms, 99))))), "limit of 20 ms exceeded"));
        CHECK(loop.now() == 60ms);
    }
    SECTION("both at the same time: the outer one") {
        const auto when = ringlet::deadline{} + 10ms;
        const auto line = std::to_string(__LINE__ + 1);
        const auto text = loop.run(fate(with_deadline(when, with_timeout(10ms, sleep(1h)))));
        CHECK(contains(text, "deadline passed"));
        CHECK(contains(text, "timeout_test.cpp:" + line));
    }
}

TEST_CASE("an inner timeout is an ordinary error to an outer limit that is not due", "[timeout]") {
    checked_loop loop;
    const auto code = loop.run([]() -> task<std::error_code> {
        auto r = co_await as_result(with_timeout(1s, with_timeout(1ms, sleep(1h))));
        co_return r.error();
    }());
    CHECK(code == std::errc::timed_out);
    CHECK(loop.now() == 1ms);
}

TEST_CASE("a timeout says whose limit it was", "[timeout]") {
    checked_loop loop;
    const auto line = std::to_string(__LINE__ + 1);
    const auto text = loop.run(fate(with_timeout(1500us, sleep(1h))));
    CHECK(contains(text, "sleep: time limit of 1.5 ms exceeded (set at "));
    CHECK(text.ends_with("timeout_test.cpp:" + line + ")"));
    CHECK(contains(loop.run(fate(with_timeout(2s, sleep(1h)))), "limit of 2 s exceeded"));
    CHECK(contains(loop.run(fate(with_timeout(7us, sleep(1h)))), "limit of 7 us exceeded"));
    CHECK(loop.run(fate(with_timeout(1ms, naps(1h, 1)))).starts_with("time limit of 1 ms exceeded (set at "));
}

TEST_CASE("a timeout says what it was that took too long, through other adapters, too", "[timeout]") {
    const leak_check leaks;
    checked_loop loop;
    const ringlet::io::owned_fd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    std::array<std::byte, 8> room{};
    const auto recv = [&] { return ringlet::io::recv_op{null, room}; };
    CHECK(
        loop.run(fate(with_timeout(1ms, recv()))).starts_with("recv /dev/null: time limit of 1 ms exceeded (set at "));
    CHECK(loop.run(fate(with_timeout(2ms, with_timeout(3ms, recv()))))
              .starts_with("recv /dev/null: time limit of 2 ms exceeded"));
    CHECK(loop.run(fate(with_deadline(ringlet::clock::now(), shield(with_timeout(1ms, recv())))))
              .starts_with("recv /dev/null: time limit of 1 ms exceeded"));
}

TEST_CASE("a timeout keeps its code, and its text when it is copied", "[timeout]") {
    const ringlet::timeout_error first{"too slow"};
    const ringlet::timeout_error copy = first;
    CHECK(copy.code() == std::errc::timed_out);
    CHECK(copy.code().message() == "the time limit has passed");
    CHECK(copy.what() == std::string{"too slow"});
    CHECK(std::is_nothrow_copy_constructible_v<ringlet::timeout_error>);
}

TEST_CASE("zero, negative and huge limits mean what they say", "[timeout]") {
    checked_loop loop;
    CHECK(contains(loop.run(fate(with_timeout(0s, sleep(1ms)))), "limit of 0 s exceeded"));
    CHECK(contains(loop.run(fate(with_timeout(-1s, sleep(1ms)))), "limit of -1 s exceeded"));
    CHECK(contains(loop.run(fate(with_timeout(nanoseconds::min(), sleep(1ms)))), "(set at"));
    CHECK(contains(loop.run(fate(with_deadline(ringlet::deadline::min(), sleep(1ms)))), "deadline passed"));
    CHECK(loop.now() == 0ms);
    CHECK(loop.run(fate(with_timeout(nanoseconds::max(), sleep(1ms)))) == "done");
    CHECK(loop.run(fate(with_deadline(ringlet::deadline::max(), sleep(1ms)))) == "done");
    CHECK(loop.now() == 2ms);
    CHECK(contains(loop.run(fate(with_timeout(0s, naps(1ms, 1)))), "limit of 0 s exceeded"));
}

TEST_CASE("an operation that can end at once ends even with a limit of zero", "[timeout]") {
    checked_loop loop;
    CHECK(loop.run(fate(with_timeout(0s, nop_op{}))) == "done");
}

TEST_CASE("a result that wins the race against the limit is delivered", "[timeout]") {
    checked_loop loop;
    // The request completes with success although it has been asked to end.
    loop.engine().set_script([](auto& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode == IORING_OP_ASYNC_CANCEL) {
            engine.complete(sqe.user_data, -EALREADY);
            engine.complete(engine.pending_operation(IORING_OP_RECV).user_data, 5);
            return true;
        }
        return sqe.opcode == IORING_OP_RECV;
    });
    loop.run([]() -> task<> {
        std::array<std::byte, 8> room{};
        const auto n = co_await with_timeout(1ms, ringlet::io::recv_op{ringlet::io::fd_ref{0}, room});
        CHECK(n == 5);
        co_await sleep(1ms);  // the limit is over: nothing to raise here
    }());
    CHECK(loop.now() == 2ms);
}

TEST_CASE("once its limit is due a task is cancelled at every further await", "[timeout]") {
    checked_loop loop;
    int raised = 0;
    const auto stubborn = [](int& count) -> task<> {
        for (int i = 0; i < 3; ++i) {
            try {
                co_await sleep(1h);
            } catch (const ringlet::cancelled&) {
                ++count;
            }
        }
        co_await sleep(1h);
    };
    CHECK(contains(loop.run(fate(with_timeout(1ms, stubborn(raised)))), "limit of 1 ms exceeded"));
    CHECK(raised == 3);
    CHECK(loop.now() == 1ms);
}

TEST_CASE("a cancellation from outside passes through limits as a cancellation", "[timeout]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto job = ringlet::spawn(
            []() -> task<std::string> { co_return co_await fate(with_timeout(2ms, with_timeout(1h, sleep(1h)))); });
        co_await sleep(1ms);
        job.cancel();
        const std::string text = co_await job.get();
        CHECK(text == "cancelled");
    }());
    CHECK(loop.now() == 1ms);
}

TEST_CASE("a cancellation that comes together with the limit goes first", "[timeout]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto job = ringlet::spawn([]() -> task<std::string> {
            const auto text = co_await fate(with_timeout(1ms, naps(1h, 1)));
            co_return text;
        });
        co_await sleep(1ms);
        job.cancel();
        const std::string text = co_await job.get();
        CHECK((text == "cancelled" || contains(text, "limit of 1 ms exceeded")));
    }());
}

TEST_CASE("a shielded operation outlasts the limit around it, and its value is delivered", "[timeout]") {
    checked_loop loop;
    CHECK(loop.run(fate(with_timeout(1ms, shield(sleep(5ms))))) == "done");
    CHECK(loop.now() == 5ms);
    CHECK(loop.run(fate(with_timeout(1ms, shield(naps(1ms, 5))))) == "done");
    CHECK(loop.now() == 10ms);
}

TEST_CASE("a limit inside a shield works", "[timeout]") {
    checked_loop loop;
    CHECK(contains(loop.run(fate(shield(with_timeout(1ms, sleep(5ms))))), "limit of 1 ms exceeded"));
    CHECK(contains(loop.run(fate(shield(with_timeout(1ms, naps(5ms, 1))))), "limit of 1 ms exceeded"));
    CHECK(contains(loop.run(fate(with_timeout(1h, shield(with_timeout(1ms, sleep(5ms)))))), "limit of 1 ms exceeded"));
    CHECK(loop.now() == 3ms);
}

TEST_CASE("as_result turns a timeout into std::errc::timed_out in every composition", "[timeout]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto a = co_await as_result(with_timeout(1ms, sleep(1h)));
        CHECK(a.error() == std::errc::timed_out);
        CHECK(a.error().message() == "the time limit has passed");
        auto b = co_await as_result(with_timeout(1ms, naps(1h, 1)));
        CHECK(b.error() == std::errc::timed_out);
        auto c = co_await as_result(with_timeout(1ms, as_result(sleep(0ms))));
        CHECK((c && *c));
        auto d = co_await as_result(shield(with_timeout(1ms, sleep(1h))));
        CHECK(d.error() == std::errc::timed_out);
        auto e = co_await as_result(with_timeout(1h, with_deadline(ringlet::clock::now() + 1ms, sleep(1h))));
        CHECK(e.error() == std::errc::timed_out);
        auto f = co_await as_result(with_timeout(1h, late_value(1ms, 4)));
        CHECK((f && *f == 4));
    }());
}

TEST_CASE("with_timeout around as_result throws its timeout", "[timeout]") {
    checked_loop loop;
    CHECK(contains(loop.run(fate(with_timeout(1ms, as_result(sleep(1h))))), "limit of 1 ms exceeded"));
}

TEST_CASE("a limit around when_all ends every child and waits for them", "[timeout]") {
    checked_loop loop;
    std::string log;
    const auto child = [](std::string& l, char name) -> task<> {
        const destruction_note gone{l, name};
        co_await sleep(1h);
    };
    CHECK(contains(loop.run(fate(with_timeout(1ms, ringlet::when_all(child(log, 'a'), child(log, 'b'))))),
                   "limit of 1 ms exceeded"));
    CHECK(log.size() == 2);
    CHECK(loop.now() == 1ms);
}
