// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/io/op/accept.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <fcntl.h>

using namespace ringlet_tests;
using ringlet::first_of;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet::task_group;
using ringlet::when_all;
using ringlet::with_task_group;
using ringlet::with_timeout;
using std::chrono::nanoseconds;

namespace {

task<int> late(nanoseconds after, int value) {
    co_await sleep(after);
    co_return value;
}
task<> fails(nanoseconds after, std::string text) {
    co_await sleep(after);
    throw std::runtime_error{text};
}
task<> note_end(nanoseconds after, std::string& log, char name) {
    const destruction_note gone{log, name};
    co_await sleep(after);
    log += '!';
}
task<> stubborn(std::string& log) {  // takes 5 ms to clean up
    try {
        co_await sleep(1h);
    } catch (const ringlet::cancelled&) {
        log += '1';
    }
    co_await ringlet::shield(sleep(5ms));
    log += '2';
    co_await sleep(1h);
}

}  // namespace

TEST_CASE("when_all gives the values in the order of its arguments", "[group]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto values = co_await when_all(late(3ms, 1), sleep(1ms), late(2ms, 2), ringlet::io::nop_op{});
        CHECK(std::get<0>(values) == 1);
        CHECK(std::get<1>(values) == std::monostate{});
        CHECK(std::get<2>(values) == 2);
        co_await when_all(sleep(1ms), sleep(2ms));
        std::vector<task<int>> many;
        for (int i = 0; i < 5; ++i) many.push_back(late((5 - i) * 1ms, i));
        const std::vector<int> list = co_await when_all(std::move(many));
        CHECK(list == std::vector{0, 1, 2, 3, 4});
        const std::vector<int> none = co_await when_all(std::vector<task<int>>{});
        CHECK(none.empty());
        co_await when_all(std::vector<task<>>{});
    }());
    CHECK(loop.now() == 10ms);
}

TEST_CASE("when_all moves move-only values out", "[group]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        const auto make = [](int n) -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(n); };
        auto values = co_await when_all(make(1), make(2));
        CHECK(*std::get<0>(values) + *std::get<1>(values) == 3);
    }());
}

TEST_CASE("the first failure in when_all cancels the others, and is thrown when all have ended", "[group]") {
    checked_loop loop;
    std::string log;
    CHECK(loop.run(fate(when_all(stubborn(log), fails(1ms, "first"), fails(2ms, "second")))) == "first");
    CHECK(log == "12");
    CHECK(loop.now() == 6ms);
}

TEST_CASE("a failure during the clean-up that another failure caused does not replace it", "[group]") {
    checked_loop loop;
    const auto fails_in_cleanup = []() -> task<> {
        try {
            co_await sleep(1h);
        } catch (const ringlet::cancelled&) {
            throw std::runtime_error{"clean-up"};
        }
    };
    CHECK(loop.run(fate(when_all(fails_in_cleanup(), fails(1ms, "cause")))) == "cause");
}

TEST_CASE("cancelling the parent of when_all cancels the children and waits for them", "[group]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto j = spawn(when_all(stubborn(l), sleep(1h)));
        co_await sleep(1ms);
        j.cancel();
        const std::string text = co_await fate(j.get());
        CHECK(text == "cancelled");
    }(log));
    CHECK(log == "12");
    CHECK(loop.now() == 6ms);
}

TEST_CASE("when_all in a job that is cancelled already starts nothing", "[group]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        auto j = spawn(
            [](std::string& text) -> task<> {
                try {
                    co_await sleep(1h);
                } catch (const ringlet::cancelled&) {
                }
                co_await when_all(note_end(0ms, text, 'a'), note_end(0ms, text, 'b'));
            },
            std::ref(l));
        co_await ringlet::yield();
        j.cancel();
        const std::string text = co_await fate(j.get());
        CHECK(text == "cancelled");
    }(log));
    CHECK(log.empty());
}

TEST_CASE("first_of tells who was first, and cancels and awaits the others", "[group]") {
    checked_loop loop;
    std::string log;
    loop.run([](std::string& l) -> task<> {
        const std::size_t index = co_await first_of(note_end(5ms, l, 'a'), note_end(1ms, l, 'b'), stubborn(l));
        CHECK(index == 1);
        auto value = co_await first_of(late(2ms, 1), late(1ms, 2), sleep(1h));
        CHECK(value.index() == 1);
        CHECK(std::get<1>(value) == 2);
    }(log));
    CHECK(log.starts_with("!b"));
    CHECK(contains(log, "a"));
    CHECK(contains(log, "12"));
    CHECK(loop.now() == 7ms);
}

TEST_CASE("of two that end in the same turn first_of takes the one that ended first", "[group]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto value = co_await first_of(late(1ms, 1), late(1ms, 2));
        CHECK((value.index() == 0 ? std::get<0>(value) == 1 : std::get<1>(value) == 2));
    }());
}

TEST_CASE("a failure of the first, or of a loser, comes out of first_of", "[group]") {
    checked_loop loop;
    CHECK(loop.run(fate(first_of(fails(1ms, "first"), sleep(1h)))) == "first");
    const auto bad_loser = []() -> task<> {
        try {
            co_await sleep(1h);
        } catch (const ringlet::cancelled&) {
            throw std::runtime_error{"loser"};
        }
    };
    CHECK(loop.run(fate(first_of(sleep(1ms), bad_loser()))) == "loser");
}

TEST_CASE("a connection that a losing accept got after all is closed", "[group]") {
    checked_loop loop;
    loop.engine().set_script([](auto& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_ASYNC_CANCEL) return sqe.opcode == IORING_OP_ACCEPT;
        engine.complete(sqe.user_data, -EALREADY);
        engine.complete(engine.pending_operation(IORING_OP_ACCEPT).user_data, ::open("/dev/null", O_RDONLY));
        return true;
    });
    loop.run([]() -> task<> {
        auto value = co_await first_of(ringlet::io::accept_op{ringlet::io::fd_ref{0}}, sleep(1ms));
        CHECK(value.index() == 1);
    }());
}  // the leak check counts descriptors

TEST_CASE("with_task_group does not end before its jobs", "[group]") {
    checked_loop loop;
    std::string log;
    const auto body = [](task_group& group, std::string& l) -> task<int> {
        group.spawn(note_end, 5ms, std::ref(l), 'a');
        group.spawn(note_end(2ms, l, 'b'));
        CHECK(group.size() == 2);
        co_await sleep(1ms);
        l += '.';
        co_return 7;
    };
    CHECK(loop.run(with_task_group(body, std::ref(log))) == 7);
    CHECK(log == ".!b!a");
    CHECK(loop.now() == 5ms);
}

TEST_CASE("with_task_group keeps what a reference parameter refers to alive", "[group]") {
    checked_loop loop;
    const auto body = [](task_group& group, const std::string& text, std::string& log) -> task<std::size_t> {
        group.spawn([](const std::string& t, std::string& l) -> task<> {
            co_await sleep(2ms);
            l = t;
        }(text, log));
        co_await sleep(1ms);
        co_return text.size();
    };
    std::string log;
    CHECK(loop.run(with_task_group(body, "a text that is longer than any small string", std::ref(log))) == 43);
    CHECK(log == "a text that is longer than any small string");
    const auto viewed = [](task_group&, std::string_view text) -> task<std::size_t> {
        co_await sleep(1ms);
        co_return text.find_last_of('y') + 1;
    };
    CHECK(loop.run(with_task_group(viewed, std::string(100, 'y'))) == 100);
    const auto owned = [](task_group&, std::string& text, std::unique_ptr<int> n) -> task<int> {
        co_await sleep(1ms);
        text += '!';
        co_return *n;
    };
    CHECK(loop.run(with_task_group(owned, std::ref(log), std::make_unique<int>(4))) == 4);
    CHECK(log.ends_with("!"));
}

TEST_CASE("a failing job of a group cancels its siblings and the body, and is thrown", "[group]") {
    checked_loop loop;
    std::string log;
    const auto body = [](task_group& group, std::string& l) -> task<> {
        auto held = group.spawn(fails, 1ms, "broken");  // whoever holds the handle
        group.spawn(stubborn, std::ref(l));
        const destruction_note gone{l, 'b'};
        co_await sleep(1h);
    };
    CHECK(loop.run(fate(with_task_group(body, std::ref(log)))) == "broken");
    CHECK(contains(log, "b"));
    CHECK(contains(log, "12"));
    CHECK(loop.now() == 6ms);
}

TEST_CASE("a body that fails cancels its jobs and waits for them", "[group]") {
    checked_loop loop;
    std::string log;
    const auto body = [](task_group& group, std::string& l) -> task<> {
        group.spawn(stubborn, std::ref(l));
        co_await sleep(1ms);
        throw std::runtime_error{"body"};
    };
    CHECK(loop.run(fate(with_task_group(body, std::ref(log)))) == "body");
    CHECK(log == "12");
}

TEST_CASE("a function that throws before it gives a task ends its group well", "[group]") {
    checked_loop loop;
    const auto body = [](task_group&) -> task<> { throw std::runtime_error{"no task"}; };
    CHECK(loop.run(fate(with_task_group(body))) == "no task");
}

TEST_CASE("cancelling the parent of a group cancels body and jobs, wherever it stands", "[group]") {
    for (const bool in_body : {true, false}) {
        checked_loop loop;
        std::string log;
        const auto body = [](task_group& group, std::string& l, bool stay) -> task<> {
            group.spawn(stubborn, std::ref(l));
            if (stay) co_await sleep(1h);
        };
        loop.run([](auto b, std::string& l, bool stay) -> task<> {
            auto j = spawn(with_task_group(b, std::ref(l), stay));
            co_await sleep(1ms);
            j.cancel();
            const std::string text = co_await fate(j.get());
            CHECK(text == "cancelled");
        }(body, log, in_body));
        CHECK(log == "12");
        CHECK(loop.now() == 6ms);
    }
}

TEST_CASE("a limit that ends a group's jobs is reported although its body had ended", "[group]") {
    checked_loop loop;
    const auto body = [](task_group& group) -> task<int> {
        group.spawn([]() -> task<> { co_await sleep(1h); });
        co_return 1;
    };
    CHECK(contains(loop.run(fate(with_timeout(1ms, with_task_group(body)))), "limit of 1 ms exceeded"));
    CHECK(loop.now() == 1ms);
}

TEST_CASE("cancelling a group's jobs by hand is no failure of the group", "[group]") {
    checked_loop loop;
    const auto body = [](task_group& group) -> task<int> {
        group.spawn([]() -> task<> { co_await sleep(1h); });
        co_await sleep(1ms);
        group.cancel();
        co_return 5;
    };
    CHECK(loop.run(with_task_group(body)) == 5);
    CHECK(loop.now() == 1ms);
}

TEST_CASE("a job of a group may spawn into it", "[group]") {
    checked_loop loop;
    int ended = 0;
    struct tree {
        static task<> grow(task_group& group, int depth, int& count) {
            if (depth > 0) {
                group.spawn(grow, std::ref(group), depth - 1, std::ref(count));
                group.spawn(grow, std::ref(group), depth - 1, std::ref(count));
            }
            co_await sleep(1ms);
            ++count;
        }
    };
    loop.run(with_task_group(tree::grow, 6, std::ref(ended)));
    CHECK(ended == 127);
}

TEST_CASE("a result type that cannot be default-constructed passes every combinator", "[group]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        const auto make = []() -> task<counted> { co_return counted{4}; };
        auto both = co_await when_all(make(), make());
        CHECK(std::get<1>(both).value() == 4);
        auto one = co_await first_of(make(), sleep(1h));
        CHECK(std::get<0>(one).value() == 4);
        auto limited = co_await with_timeout(1s, make());
        CHECK(limited.value() == 4);
        auto kept = co_await ringlet::as_result(make());
        CHECK(kept->value() == 4);
        auto shielded = co_await ringlet::shield(make());
        CHECK(shielded.value() == 4);
        const auto body = [](task_group&) -> task<counted> { co_return counted{4}; };
        auto grouped = co_await with_task_group(body);
        CHECK(grouped.value() == 4);
    }());
    CHECK(counted::alive == 0);
}
