// SPDX-License-Identifier: MIT
// Every operation on a scripted ring: real SQEs, hand-written CQEs.
#include "io/operation_cases.hpp"
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <functional>
#include <optional>
#include <vector>

using namespace ringlet_tests;
using ringlet::as_result;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;

namespace {

/// Awaits the operation; gives its value as a number, then awaits once more so that a cancellation shows.
template <class Case>
task<> use(int& value, bool& went_on) {
    auto op = Case::make();
    using T = typename decltype(op)::value_type;
    if constexpr (std::is_void_v<T>) {
        co_await std::move(op);
        value = 0;
    } else {
        auto got = co_await std::move(op);
        value = number(std::move(got));
    }
    co_await ringlet::yield();
    went_on = true;
}

struct outcome {
    int value = -1;
    bool went_on = false;
    std::string text;
};

bool waits(const io_uring_sqe& sqe) { return sqe.opcode != IORING_OP_ASYNC_CANCEL; }

/// Runs the operation of `Case` with every request answered by `script`; cancels it after `cancel_after`, if at all.
template <class Case>
outcome run(ringlet::testing::scripted_engine::script script,
            std::optional<std::chrono::nanoseconds> cancel_after = {}) {
    checked_loop loop;
    loop.engine().set_script(std::move(script));
    outcome result;
    loop.run([](outcome& out, std::optional<std::chrono::nanoseconds> after) -> task<> {
        auto job = spawn(use<Case>, std::ref(out.value), std::ref(out.went_on));
        if (after) {
            co_await sleep(*after);
            job.cancel();
        }
        out.text = co_await fate(job.get());
    }(result, cancel_after));
    CHECK(loop.engine().pending() == 0);
    return result;
}

template <class Case>
auto complete_with(int res) {
    return [res](auto& engine, const io_uring_sqe& sqe) {
        CHECK(Case::check(sqe));
        engine.complete(sqe.user_data, res);
        return true;
    };
}

}  // namespace

TEMPLATE_TEST_CASE("an operation fills its SQE and gives its result", "[operation]", RINGLET_TESTS_EVERY_OPERATION) {
    const outcome out = run<TestType>(complete_with<TestType>(TestType::good));
    CHECK(out.text == "done");
    CHECK(out.value == TestType::value);
    CHECK(out.went_on);
}

TEMPLATE_TEST_CASE("an error names the operation and its subject", "[operation]", RINGLET_TESTS_EVERY_OPERATION) {
    const outcome out = run<TestType>(complete_with<TestType>(-EIO));
    CHECK(out.text.starts_with(TestType::name));
    CHECK(contains(out.text, "Input/output error"));
    CHECK_FALSE(out.went_on);
}

TEMPLATE_TEST_CASE("ECANCELED that nobody asked for is an error, not a cancellation", "[operation]",
                   RINGLET_TESTS_EVERY_OPERATION) {
    const outcome out = run<TestType>(complete_with<TestType>(-ECANCELED));
    CHECK(contains(out.text, "Operation canceled"));
}

TEST_CASE("what no system call would show is shown as an interruption", "[operation]") {
    constexpr int restart_sys = 512;
    CHECK(run<shutdown_case>(complete_with<shutdown_case>(-restart_sys)).text.find("Interrupted system call") !=
          std::string::npos);
}

TEMPLATE_TEST_CASE("as_result gives the error code of an operation", "[operation]", RINGLET_TESTS_EVERY_OPERATION) {
    checked_loop loop;
    loop.engine().set_script(complete_with<TestType>(-ENOSPC));
    loop.run([]() -> task<> {
        auto r = co_await as_result(TestType::make());
        CHECK(r.error() == std::errc::no_space_on_device);
    }());
}

TEMPLATE_TEST_CASE("zero is the end of a stream, and a value", "[operation]", RINGLET_TESTS_EVERY_OPERATION) {
    if constexpr (TestType::has_end) {
        const outcome out = run<TestType>(complete_with<TestType>(0));
        CHECK(out.text == "done");
        CHECK(out.value == 0);
    }
}

TEMPLATE_TEST_CASE("cancelled before it is submitted, an operation submits nothing", "[operation]",
                   RINGLET_TESTS_EVERY_OPERATION) {
    checked_loop loop;
    loop.run([]() -> task<> {
        std::optional<ringlet::job<>> self;
        self = spawn(
            [](std::optional<ringlet::job<>>& me) -> task<> {
                me->cancel();
                int value = 0;
                bool went_on = false;
                co_await use<TestType>(value, went_on);
            },
            std::ref(self));
        const std::string text = co_await fate(self->get());
        CHECK(text == "cancelled");
    }());
    CHECK(loop.engine().submitted().empty());
}

TEMPLATE_TEST_CASE("cancelled in flight, an operation ends with its last CQE, whichever CQE comes first", "[operation]",
                   RINGLET_TESTS_EVERY_OPERATION) {
    for (const bool target_first : {true, false}) {
        std::uint64_t target = 0;
        const outcome out = run<TestType>(
            [&](auto& engine, const io_uring_sqe& sqe) {
                if (waits(sqe)) {
                    target = sqe.user_data;
                    return true;
                }
                CHECK(sqe.addr == target);
                const std::uint64_t request = sqe.user_data;
                if (target_first) engine.complete(target, -ECANCELED);
                engine.complete(request, target_first ? -ENOENT : 0);
                // The operation may take its time: the job waits for it.
                if (!target_first) engine.at(5ms, [&](auto& later) { later.complete(target, -ECANCELED); });
                return true;
            },
            1ms);
        CHECK(out.text == "cancelled");
        CHECK(out.value == -1);
        CHECK_FALSE(out.went_on);
    }
}

TEMPLATE_TEST_CASE("a result that comes in spite of a cancellation is delivered; the next await raises", "[operation]",
                   RINGLET_TESTS_EVERY_OPERATION) {
    std::uint64_t target = 0;
    const outcome out = run<TestType>(
        [&](auto& engine, const io_uring_sqe& sqe) {
            if (waits(sqe)) {
                target = sqe.user_data;
                return true;
            }
            engine.complete(sqe.user_data, -EALREADY);
            engine.complete(target, TestType::good);
            return true;
        },
        1ms);
    CHECK(out.text == "cancelled");
    CHECK(out.value == TestType::value);
    CHECK_FALSE(out.went_on);
}

TEMPLATE_TEST_CASE("a call that the kernel's worker broke off, however it puts it, is cancelled", "[operation]",
                   RINGLET_TESTS_EVERY_OPERATION) {
    for (const int code : {-EINTR, -512}) {  // -512: ERESTARTSYS, as a splice gives it
        std::uint64_t target = 0;
        const outcome out = run<TestType>(
            [&](auto& engine, const io_uring_sqe& sqe) {
                if (waits(sqe)) {
                    target = sqe.user_data;
                    return true;
                }
                engine.complete(sqe.user_data, -EALREADY);
                engine.complete(target, code);
                return true;
            },
            1ms);
        CHECK(out.text == "cancelled");
    }
}

TEMPLATE_TEST_CASE("an error that comes in spite of a cancellation is delivered as an error", "[operation]",
                   RINGLET_TESTS_EVERY_OPERATION) {
    std::uint64_t target = 0;
    const outcome out = run<TestType>(
        [&](auto& engine, const io_uring_sqe& sqe) {
            if (waits(sqe)) {
                target = sqe.user_data;
                return true;
            }
            engine.complete(sqe.user_data, -EALREADY);
            engine.complete(target, -EIO);
            return true;
        },
        1ms);
    CHECK(contains(out.text, "Input/output error"));
}

TEMPLATE_TEST_CASE("cancelled after its completion has been reaped, an operation gives its result", "[operation]",
                   RINGLET_TESTS_EVERY_OPERATION) {
    // The canceller wakes in the turn that reaps the completion, and runs before the job.
    checked_loop loop;
    std::uint64_t target = 0;
    loop.engine().set_script([&](auto& engine, const io_uring_sqe& sqe) {
        CHECK(waits(sqe));
        target = sqe.user_data;
        engine.at(1ms, [&](auto& later) { later.complete(target, TestType::good); });
        return true;
    });
    outcome out;
    loop.run([](outcome& o) -> task<> {
        auto job = spawn(use<TestType>, std::ref(o.value), std::ref(o.went_on));
        co_await ringlet::yield();
        while (!o.went_on && ringlet::loop::current().in_flight() > 0) co_await sleep(500us);
        job.cancel();
        o.text = co_await fate(job.get());
    }(out));
    CHECK(out.value == TestType::value);
}

TEMPLATE_TEST_CASE("a limit around an operation cancels it, and a shield does not let it", "[operation]",
                   RINGLET_TESTS_EVERY_OPERATION) {
    checked_loop loop;
    loop.engine().set_script([](auto& engine, const io_uring_sqe& sqe) {
        if (!waits(sqe)) return false;
        const std::uint64_t request = sqe.user_data;
        if (engine.virtual_now()->time_since_epoch() >= 10ms)
            engine.at(5ms, [request](auto& later) { later.complete(request, TestType::good); });
        return true;
    });
    loop.run([](checked_loop& here) -> task<> {
        const std::string limited = co_await fate(ringlet::with_timeout(10ms, TestType::make()));
        CHECK(contains(limited, "limit of 10 ms exceeded"));
        CHECK(here.now() == 10ms);
        const std::string shielded = co_await fate(ringlet::with_timeout(1ms, ringlet::shield(TestType::make())));
        CHECK(shielded == "done");
        CHECK(here.now() == 15ms);
    }(loop));
}

TEMPLATE_TEST_CASE("a report says what an operation waits for", "[operation]", RINGLET_TESTS_EVERY_OPERATION) {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto job = spawn([]() -> task<> { [[maybe_unused]] auto r = co_await as_result(TestType::make()); });
        job.set_name("asker");
        co_await ringlet::yield();
        const std::string report = ringlet::detail::current_scheduler().describe_jobs();
        CHECK(contains(report, "asker: waits for " + std::string{TestType::name}));
        CHECK(contains(report, "operation_test.cpp:"));
        if (!job.ready()) job.cancel();
        co_await job.join();
    }());
}
