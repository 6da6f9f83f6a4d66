// SPDX-License-Identifier: MIT
#include "os/children.hpp"
#include <ringlet/io/op/read.hpp>
#include <ringlet/os/process.hpp>
#include <ringlet/os/process_queue.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <vector>

using namespace ringlet;
using namespace ringlet_tests;
using os::process;
using os::process_queue;

namespace {

task<> alone() {
    process_queue<int> q{3};
    CHECK(q.empty());
    CHECK(q.capacity() == 3);
    for (int i = 0; i < 3; ++i) co_await q.put(i);
    CHECK(q.full());
    CHECK(q.size() == 3);
    CHECK_FALSE(q.try_put(9));
    const std::string full = co_await fate(with_timeout(1ms, q.put(9)));
    CHECK(full.find("time limit") != full.npos);
    CHECK(q.size() == 3);
    for (int i = 0; i < 3; ++i) {
        const std::optional<int> got = co_await q.get();
        CHECK(got == i);
    }
    CHECK(q.empty());
    CHECK_FALSE(q.try_get());
    const std::string empty = co_await fate(with_timeout(1ms, q.get()));
    CHECK(empty.find("time limit") != empty.npos);
    co_await q.join();
    CHECK(q.try_put(4));
    const std::string busy = co_await fate(with_timeout(1ms, q.join()));
    CHECK(busy.find("time limit") != busy.npos);
    q.close();
    const std::string closed = co_await fate(q.put(5));
    CHECK(closed == "put into a closed process_queue: Broken pipe");
    const std::optional<int> last = co_await q.get();
    CHECK(last == 4);
    const std::optional<int> none = co_await q.get();
    CHECK_FALSE(none);
    CHECK(q.closed());
    co_await q.join();
}

task<> strings() {
    process_queue<std::string> q{2, 10};
    co_await q.put("");
    co_await q.put("0123456789");
    const std::optional<std::string> nothing = co_await q.get();
    CHECK(nothing == "");
    const std::optional<std::string> all = co_await q.get();
    CHECK(all == "0123456789");
    const std::string why = co_await fate(q.put("0123456789a"));
    CHECK(why == "put into a process_queue: Message too long");
}

task<> square(process_queue<int>& in, process_queue<std::string>& out) {
    while (std::optional<int> x = co_await in.get()) co_await out.put(std::to_string(*x * *x));
}

task<> between_processes() {
    process_queue<int> in{4};
    process_queue<std::string> out{4};
    std::vector<process> workers;
    for (int i = 0; i < 3; ++i) workers.push_back(process::start(square, std::ref(in), std::ref(out)));
    auto feed = [](process_queue<int>& to) -> task<> {
        for (int i = 1; i <= 200; ++i) co_await to.put(i);
        to.close();
    };
    auto feeding = spawn(feed, std::ref(in));
    long sum = 0;
    for (int i = 1; i <= 200; ++i) {
        const std::optional<std::string> text = co_await out.get();
        sum += std::stol(text.value_or("0"));
    }
    CHECK(sum == 200L * 201 * 401 / 6);
    co_await feeding.get();
    co_await in.join();
    for (auto& worker : workers) {
        const int code = co_await worker.join();
        CHECK(code == 0);
    }
    CHECK(out.empty());
}

task<> put_three(process_queue<int>& q) {
    for (int i = 1; i <= 3; ++i) co_await q.put(i);
}

task<> stays_when_the_child_has_ended() {
    process_queue<int> q{8};
    process child = process::start(put_three, std::ref(q));
    co_await child.join();
    CHECK(q.size() == 3);
    for (int i = 1; i <= 3; ++i) {
        const std::optional<int> got = co_await q.get();
        CHECK(got == i);
    }
    co_await q.join();
}

int die_with_the_lock(os::detail::shared_queue& q) {
    q.lock();
    ::raise(SIGKILL);
    return 0;
}

task<> killed_with_the_lock() {
    os::detail::shared_queue q{2, 4};
    const std::array<std::byte, 4> item{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
    CHECK(q.try_put(item) == os::detail::shared_queue::outcome::done);
    for (int i = 0; i < 3; ++i) {
        process child = process::start(die_with_the_lock, std::ref(q));
        const int code = co_await child.join();
        CHECK(code == -SIGKILL);
        CHECK(q.size() == 1);
    }
    std::array<std::byte, 4> got{};
    std::size_t size = 0;
    CHECK(q.try_get(got, size) == os::detail::shared_queue::outcome::done);
    CHECK(got == item);
    CHECK(size == 4);
    co_await q.wait_until_empty();
}

}  // namespace

TEST_CASE("a process queue knows exactly what is in it", "[os][process_queue]") {
    const no_children_left check;
    run(alone);
}
TEST_CASE("a process queue holds strings up to its limit", "[os][process_queue]") {
    const no_children_left check;
    run(strings);
}
TEST_CASE("processes pass items through queues", "[os][process_queue]") {
    const no_children_left check;
    run(between_processes);
}
TEST_CASE("what a child put stays when it has ended", "[os][process_queue]") {
    const no_children_left check;
    run(stays_when_the_child_has_ended);
}
TEST_CASE("who dies with a process queue's lock holds nobody up", "[os][process_queue]") {
    const no_children_left check;
    run(killed_with_the_lock);
}
