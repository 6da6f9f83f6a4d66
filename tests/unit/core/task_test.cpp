// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/time/sleep.hpp>

#include <memory>
#include <stdexcept>
#include <string>

using namespace ringlet_tests;
using ringlet::sleep;
using ringlet::task;

namespace {

task<int> plain_value(int n) { co_return n; }
task<std::unique_ptr<int>> move_only_value(int n) { co_return std::make_unique<int>(n); }
task<int> late_value(int n) {
    co_await sleep(1ms);
    co_return n;
}
task<int> failure() {
    throw std::runtime_error{"at once"};
    co_return 0;
}
task<int> late_failure() {
    co_await sleep(1ms);
    throw std::runtime_error{"later"};
}
task<> nested_failure(std::string& log) {
    const destruction_note local{log, 'n'};
    co_await late_failure();
    log += '!';
}

task<> note(std::string& log, char name) {
    log += name;
    co_return;
}

task<> with_locals(std::string& log, destruction_note, destruction_note) {
    const destruction_note a{log, 'a'};
    const destruction_note b{log, 'b'};
    co_await sleep(1ms);
    log += '|';
}

}  // namespace

TEST_CASE("a task gives the value that it returns", "[task]") {
    checked_loop loop;
    CHECK(loop.run(plain_value(7)) == 7);
    CHECK(loop.run(late_value(8)) == 8);
    CHECK(*loop.run(move_only_value(9)) == 9);
}

TEST_CASE("an awaited task hands a move-only value to its parent", "[task]") {
    checked_loop loop;
    const int sum = loop.run([]() -> task<int> {
        const std::unique_ptr<int> one = co_await move_only_value(1);
        const int two = co_await late_value(2);
        co_return *one + two;
    }());
    CHECK(sum == 3);
}

TEST_CASE("a task does not start before it is awaited", "[task]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto later = note(l, '2');
        co_await note(l, '1');
        co_await std::move(later);
    }(log));
    CHECK(log == "12");
}

TEST_CASE("an exception reaches the awaiting task, at once or later", "[task]") {
    checked_loop loop;
    CHECK(loop.run(fate(failure())) == "at once");
    CHECK(loop.run(fate(late_failure())) == "later");
    CHECK_THROWS_WITH(loop.run(failure()), "at once");
    CHECK_THROWS_WITH(loop.run(late_failure()), "later");
}

TEST_CASE("an exception unwinds every task between", "[task]") {
    checked_loop loop;
    std::string log;
    CHECK(loop.run(fate(nested_failure(log))) == "later");
    CHECK(log == "n");
}

TEST_CASE("locals die in reverse order, then the arguments, then the parent goes on", "[task]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        destruction_note first{l, '1'};
        destruction_note second{l, '2'};
        co_await with_locals(l, std::move(first), std::move(second));
        l += '.';
    }(log));
    // The order of arguments among themselves is the compiler's.
    CHECK((log == "|ba21." || log == "|ba12."));
}

TEST_CASE("a value lives until the end of the expression that awaited it, and no longer", "[task]") {
    checked_loop loop;
    const int before = counted::alive;
    loop.run([](int at_start) -> task<> {
        const int value = (co_await []() -> task<counted> { co_return counted{5}; }()).value();
        CHECK(value == 5);
        CHECK(counted::alive == at_start);
    }(before));
    CHECK(counted::alive == before);
}

TEST_CASE("a result whose move throws becomes the job's failure", "[task]") {
    struct stubborn {
        stubborn() = default;
        stubborn(stubborn&& other) : moves{other.moves + 1} {
            if (moves == 2) throw std::runtime_error{"cannot be moved"};
        }
        int moves = 0;
    };
    checked_loop loop;
    const auto text = loop.run([]() -> task<std::string> {
        auto job = ringlet::spawn([]() -> task<stubborn> {
            stubborn s;
            co_return s;
        });
        co_return co_await fate(job.get());
    }());
    CHECK(text == "cannot be moved");
}

TEST_CASE("a local whose destructor throws after co_return takes the value with it", "[task]") {
    struct thrower {
        ~thrower() noexcept(false) { throw std::runtime_error{"from a destructor"}; }
    };
    checked_loop loop;
    CHECK(loop.run(fate([]() -> task<counted> {
        const thrower last;
        co_await ringlet::yield();
        co_return counted{5};
    }())) == "from a destructor");
    CHECK(counted::alive == 0);
}

TEST_CASE("a failed task may leave tasks unawaited that were its arguments", "[task]") {
    // A task parameter dies with the frame, when no exception is in flight any more: that is no programmer error.
    constexpr auto fails_before_awaiting = [](task<int> argument, bool must_fail) -> task<int> {
        co_await sleep(1ms);
        if (must_fail) throw std::system_error{EIO, std::generic_category(), "before"};
        co_return co_await std::move(argument);
    };
    checked_loop loop;
    CHECK(loop.run([](auto f) -> task<bool> {
        auto r = co_await ringlet::as_result(f(plain_value(1), true));
        co_return r.has_value();
    }(fails_before_awaiting)) == false);
    CHECK_THROWS_AS(loop.run(fails_before_awaiting(plain_value(1), true)), std::system_error);
    CHECK(loop.run([](auto f) -> task<std::string> {
        auto job = ringlet::spawn(f(plain_value(1), true));
        co_await ringlet::yield();
        job.cancel();
        co_return co_await fate(job.get());
    }(fails_before_awaiting)) == "cancelled");
}
