// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/sync/channel.hpp>
#include <ringlet/sync/queue.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace ringlet_tests;
using ringlet::channel;
using ringlet::queue;
using ringlet::spawn;
using ringlet::task;

namespace {

task<> put_all(queue<int>& to, int first, int count) {
    for (int i = 0; i < count; ++i) co_await to.put(first + i);
}

task<> get_all(queue<int>& from, std::vector<int>& out) {
    while (const std::optional<int> item = co_await from.get()) {
        out.push_back(*item);
        from.task_done();
    }
}

// Two put, two get, through room for two.
task<> four_at_a_queue() {
    queue<int> between{2};
    std::vector<int> got;
    auto body = [](ringlet::task_group& group, queue<int>& q, std::vector<int>& out) -> task<> {
        group.spawn(get_all, std::ref(q), std::ref(out));
        group.spawn(get_all, std::ref(q), std::ref(out));
        auto putters = [](ringlet::task_group& inner, queue<int>& to) -> task<> {
            inner.spawn(put_all, std::ref(to), 0, 5);
            inner.spawn(put_all, std::ref(to), 100, 5);
            co_return;
        };
        co_await ringlet::with_task_group(putters, std::ref(q));
        co_await q.join();
        q.close();
    };
    co_await ringlet::with_task_group(body, std::ref(between), std::ref(got));
    if (got.size() != 10) throw std::logic_error{"items were lost or doubled"};
}

}  // namespace

TEST_CASE("a queue gives what was put, in its order", "[sync][queue]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        queue<int> fifo;
        ringlet::queue<int, ringlet::lifo_order<int>> lifo;
        ringlet::queue<int, ringlet::priority_order<int>> least;
        for (const int i : {3, 1, 2}) {
            co_await fifo.put(i);
            co_await lifo.put(i);
            co_await least.put(i);
        }
        std::string order;
        for (int i = 0; i < 3; ++i) {
            const auto a = co_await fifo.get();
            const auto b = co_await lifo.get();
            const auto c = co_await least.get();
            order += std::to_string(*a) + std::to_string(*b) + std::to_string(*c) + " ";
        }
        CHECK(order == "321 112 233 ");
        CHECK(fifo.empty());
    }());
}

TEST_CASE("a full queue makes who puts wait, in their order", "[sync][queue]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        queue<int> q{2};
        auto a = spawn(put_all, std::ref(q), 1, 3);
        auto b = spawn(put_all, std::ref(q), 11, 1);
        co_await ringlet::sleep(1ms);
        CHECK(q.full());
        CHECK(q.size() == 2);
        CHECK_FALSE(q.try_put(99));
        CHECK_FALSE(a.ready());
        std::vector<int> got;
        for (int i = 0; i < 4; ++i) {
            const auto item = co_await q.get();
            got.push_back(*item);
        }
        co_await a.join();
        co_await b.join();
        CHECK(got == std::vector{1, 11, 2, 3});
        CHECK_FALSE(q.try_get().has_value());
        CHECK(q.try_put(5));
        CHECK(q.try_get() == 5);
    }());
}

TEST_CASE("a get that was given an item delivers it, though cancelled then", "[sync][queue]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        queue<std::unique_ptr<int>> q;
        int got = 0;
        auto getter = spawn(
            [](queue<std::unique_ptr<int>>& from, int& into) -> task<> {
                const auto item = co_await from.get();
                into = **item;
                co_await ringlet::sleep(1h);
            },
            std::ref(q), std::ref(got));
        co_await ringlet::yield();
        CHECK(q.try_put(std::make_unique<int>(7)));
        getter.cancel();
        co_await getter.join();
        CHECK(got == 7);
        const std::string late = co_await fate(ringlet::with_timeout(1ms, q.get()));
        CHECK(contains(late, "an item of a queue: time limit of 1 ms exceeded"));
        co_await q.put(std::make_unique<int>(8));  // the wait that ended takes nothing
        CHECK(q.size() == 1);
    }());
}

TEST_CASE("a closed queue gives what is left, then nothing, and takes nothing", "[sync][queue]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        queue<int> q{1};
        co_await q.put(1);
        auto putter =
            spawn([](queue<int>& to) -> task<std::string> { co_return co_await fate(to.put(2)); }, std::ref(q));
        co_await ringlet::yield();
        q.close();
        const std::string refused = co_await putter.get();
        CHECK(contains(refused, "put into a closed queue: Broken pipe"));
        CHECK_FALSE(q.try_put(3));
        const auto left = co_await q.get();
        CHECK(left == 1);
        const auto end = co_await q.get();
        CHECK_FALSE(end.has_value());
        queue<int> empty;
        auto getter = spawn(
            [](queue<int>& from) -> task<bool> {
                const auto item = co_await from.get();
                co_return item.has_value();
            },
            std::ref(empty));
        co_await ringlet::yield();
        empty.close();
        const bool got = co_await getter.get();
        CHECK_FALSE(got);
    }());
}

TEST_CASE("join waits until all that was put is done", "[sync][queue]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        queue<int> q;
        co_await q.join();
        co_await q.put(1);
        co_await q.put(2);
        auto worker = spawn(
            [](queue<int>& from) -> task<> {
                for (int i = 0; i < 2; ++i) {
                    static_cast<void>(co_await from.get());
                    co_await ringlet::sleep(5ms);
                    from.task_done();
                }
            },
            std::ref(q));
        const auto begin = ringlet::clock::now();
        co_await q.join();
        CHECK(ringlet::clock::now() - begin == 10ms);
        co_await worker.join();
        CHECK_THROWS_AS(q.task_done(), std::logic_error);
    }());
}

TEST_CASE("who sends on a channel waits for who receives", "[sync][channel]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        channel<int> c;
        CHECK_FALSE(c.try_send(1));
        CHECK_FALSE(c.try_receive().has_value());
        std::string log;
        auto sender = spawn(
            [](channel<int>& to, std::string& l) -> task<> {
                co_await to.send(1);
                l += 's';
                co_await to.send(2);
                l += 's';
            },
            std::ref(c), std::ref(log));
        co_await ringlet::sleep(1ms);
        CHECK(log.empty());
        const auto one = co_await c.receive();
        CHECK(one == 1);
        co_await ringlet::sleep(1ms);
        CHECK(log == "s");
        CHECK(c.try_receive() == 2);
        co_await sender.join();
        auto late =
            spawn([](channel<int>& to) -> task<std::string> { co_return co_await fate(to.send(3)); }, std::ref(c));
        co_await ringlet::yield();
        c.close();
        const std::string refused = co_await late.get();
        CHECK(contains(refused, "Broken pipe"));
        const auto end = co_await c.receive();
        CHECK_FALSE(end.has_value());
    }());
}

TEST_CASE("no item is lost by a cancellation or failure at any point", "[sync][queue]") {
    const auto scenario = [](ringlet::testing::simulation&) { return four_at_a_queue(); };
    const auto cancelled = ringlet::testing::cancel_everywhere(scenario);
    CHECK(cancelled.points > 10);
    CHECK(cancelled.failed == 0);
    CHECK(ringlet::testing::fail_everywhere(scenario).points > 0);
}

TEST_CASE("a queue without room aborts", "[sync][queue][abort]") {
    CHECK(contains(last_words([] { const queue<int> none{0}; }), "is a ringlet::channel"));
}
