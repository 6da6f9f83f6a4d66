// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace ringlet_tests;
using ringlet::spawn;
using ringlet::task;

namespace {

int line_of_inner = 0;
int line_of_outer = 0;

task<> inner_wait() {
    line_of_inner = __LINE__ + 1;
    co_await ringlet::sleep(10s);
}
task<> outer_wait() {
    line_of_outer = __LINE__ + 1;
    co_await inner_wait();
}

task<> throws_late() {
    co_await ringlet::yield();
    throw std::runtime_error{"it broke"};
}
task<> passes_on() {
    line_of_outer = __LINE__ + 1;
    co_await throws_late();
}

// The shape of a program that fails again and again: what one exception leaves free, the next one takes.
task<> fails_first() {
    co_await ringlet::yield();
    throw std::runtime_error{"first"};
}
task<> fails_then() {
    co_await ringlet::yield();
    throw std::runtime_error{"second"};
}
task<> fails_by_another_way() { co_await fails_first(); }

template <class Awaitable>
task<std::string> chain_of(Awaitable awaitable) {
    std::string chain;
    try {
        co_await std::move(awaitable);
    } catch (const std::exception&) {
        chain = ringlet::await_chain(std::current_exception());
    }
    co_return chain;
}
task<> tries_again() {
    try {
        co_await fails_by_another_way();
    } catch (const std::exception&) {
    }
    throw std::runtime_error{"not even then"};
}
task<> throws_on_later() {
    std::exception_ptr failure;
    try {
        co_await fails_by_another_way();
    } catch (const std::exception&) {
        failure = std::current_exception();
    }
    co_await ringlet::yield();
    std::rethrow_exception(failure);
}
struct counted_error : std::runtime_error, counted {
    counted_error() : std::runtime_error{"counted"} {}
};
task<> fails_and_counts() {
    co_await ringlet::yield();
    throw counted_error{};
}

task<> fails_with_two_below() { co_await passes_on(); }
task<> fails_and_is_counted() { co_await fails_and_counts(); }
task<> handles_it() {
    try {
        co_await fails_and_counts();
    } catch (const counted_error&) {
    }
}

// Two ways of one exception.
task<> throws_what_it_gets(std::exception_ptr failure) {
    co_await ringlet::yield();
    std::rethrow_exception(failure);
}
task<> one_way(std::exception_ptr failure) { co_await throws_what_it_gets(std::move(failure)); }
task<> other_way(std::exception_ptr failure) { co_await throws_what_it_gets(std::move(failure)); }

task<> gets_from(ringlet::job<>& other) { co_await other.get(); }
task<> gets_of_one_that_goes() {
    std::optional<ringlet::job<>> other{spawn(passes_on)};
    co_await other->get();
}
task<> joins_all() {
    std::vector<ringlet::job<>> jobs;
    jobs.push_back(spawn(passes_on));
    co_await ringlet::joinall(jobs);
}
task<> has_a_group() {
    co_await ringlet::with_task_group([](ringlet::task_group& group) -> task<> {
        static_cast<void>(group.spawn(passes_on));
        co_return;
    });
}
task<> throws_on_what_it_saw(ringlet::job<>& other) {
    co_await other.join();
    std::rethrow_exception(other.exception());
}

std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

template <class Function>
struct holder {
    static task<> wait_in_a_template() { co_await ringlet::sleep(10s); }
};

std::string at(int line) { return "report_test.cpp:" + std::to_string(line) + " in "; }

}  // namespace

TEST_CASE("the report shows the chain of awaits of each job, and for how long it has waited", "[report]") {
    checked_loop loop;
    std::string text;
    loop.run([](std::string& out) -> task<> {
        auto sleeper = spawn(outer_wait());
        sleeper.set_name("sleeper");
        co_await ringlet::sleep(1500ms);
        out = ringlet::describe_tasks();
        sleeper.cancel();
        co_await sleeper.join();
    }(text));
    CAPTURE(text);
    CHECK(contains(text, "  sleeper: waits for sleep for 1.5 s at "));
    const auto inner = text.find(at(line_of_inner));
    const auto outer = text.find(at(line_of_outer));
    CHECK(inner != text.npos);
    CHECK(outer != text.npos);
    CHECK(inner < outer);
    CHECK(contains(text, "inner_wait"));
    CHECK(contains(text, ": runs\n"));
    CHECK(ringlet::describe_tasks().empty());  // no loop runs here
}

TEST_CASE("the report leaves template arguments out, whatever brackets are in them", "[report]") {
    checked_loop loop;
    std::string text;
    loop.run([](std::string& out) -> task<> {
        auto sleeper = spawn(holder<task<> (*)(int, std::vector<char>)>::wait_in_a_template);
        co_await ringlet::sleep(1ms);
        out = ringlet::describe_tasks();
        sleeper.cancel();
        co_await sleeper.join();
    }(text));
    CAPTURE(text);
    CHECK(contains(text, "holder::wait_in_a_template\n"));
}

TEST_CASE("the report shows the jobs of a group under the job that made it", "[report]") {
    checked_loop loop;
    std::string text;
    loop.run([](std::string& out) -> task<> {
        auto parent = spawn([]() -> task<> {
            co_await ringlet::with_task_group([](ringlet::task_group& group) -> task<> {
                group.spawn(outer_wait()).set_name("child");
                co_return;
            });
        });
        parent.set_name("parent");
        co_await ringlet::sleep(1ms);
        out = ringlet::describe_tasks();
        parent.cancel();
        co_await parent.join();
    }(text));
    CAPTURE(text);
    const auto parent = text.find("  parent: waits for the end of its children");
    const auto child = text.find("    child: waits for sleep");
    CHECK(parent != text.npos);
    CHECK(child != text.npos);
    CHECK(parent < child);
}

TEST_CASE("a failure knows the awaits that it has passed", "[report]") {
    checked_loop loop;
    std::string chain;
    loop.run([](std::string& out) -> task<> {
        std::exception_ptr failure;
        try {
            co_await passes_on();
        } catch (const std::runtime_error&) {
            failure = std::current_exception();
        }
        out = ringlet::await_chain(failure);
    }(chain));
    CAPTURE(chain);
    CHECK(contains(chain, "throws_late"));
    CHECK(contains(chain, at(line_of_outer)));
    CHECK(ringlet::await_chain(nullptr).empty());
}

TEST_CASE("each failure has the awaits that it has passed itself, however many went before it", "[report]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        for (int i = 0; i < 20; ++i) {
            CAPTURE(i);
            const std::string longer = co_await chain_of(fails_by_another_way());
            CAPTURE(longer);
            CHECK(lines_of(longer) == 2);
            CHECK(contains(longer, "fails_by_another_way"));
            const std::string other = co_await chain_of(fails_then());
            CAPTURE(other);
            CHECK(lines_of(other) == 1);
            CHECK(contains(other, "fails_then"));
            const std::string last = co_await chain_of(tries_again());
            CAPTURE(last);
            CHECK(lines_of(last) == 1);
            CHECK(contains(last, "tries_again"));
            try {
                throw std::runtime_error{"it has passed no await"};
            } catch (const std::exception&) {
                CHECK(ringlet::await_chain(std::current_exception()).empty());
            }
        }
    }());
}

TEST_CASE("a failure that is thrown on later goes on with its chain; what reports keep has an end", "[report]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        const std::string chain = co_await chain_of(throws_on_later());
        CAPTURE(chain);
        CHECK(lines_of(chain) == 3);
        CHECK(contains(chain, "throws_on_later"));
        for (int i = 0; i < 100; ++i) static_cast<void>(co_await chain_of(fails_and_counts()));
        CHECK(counted::alive <= 8);
        for (int i = 0; i < 8; ++i) static_cast<void>(co_await chain_of(fails_then()));
        CHECK(counted::alive == 0);
    }());
}

TEST_CASE("many cancellations push no failure out of the reports", "[report]") {
    checked_loop loop;
    std::string chain;
    loop.run([](std::string& out) -> task<> {
        auto failed = spawn(passes_on());
        co_await failed.join();
        for (int i = 0; i < 20; ++i) {
            auto sleeper = spawn(outer_wait());
            co_await ringlet::yield();
            sleeper.cancel();
            co_await sleeper.join();
        }
        out = ringlet::await_chain(failed.exception());
    }(chain));
    CHECK(contains(chain, "passes_on"));
}

TEST_CASE("the chain of a job's failure lasts as long as its handle, whatever fails meanwhile", "[report]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        std::vector<ringlet::job<>> jobs;
        for (int i = 0; i < 200; ++i) jobs.push_back(spawn(i % 2 == 0 ? passes_on : fails_by_another_way));
        for (auto& each : jobs) co_await each.join();
        for (int i = 0; i < 20; ++i) static_cast<void>(co_await chain_of(fails_then()));
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            const std::string chain = ringlet::await_chain(jobs[i].exception());
            CAPTURE(i, chain);
            CHECK(lines_of(chain) == 2);
            CHECK(contains(chain, i % 2 == 0 ? "passes_on" : "fails_by_another_way"));
        }
        // In any order.
        for (std::size_t i = 0; i < jobs.size(); i += 3) {
            std::swap(jobs[i], jobs.back());
            jobs.pop_back();
        }
        for (auto& each : jobs) CHECK(lines_of(ringlet::await_chain(each.exception())) == 2);
    }());
}

TEST_CASE("a failure that a job handled dies with the job, and one that ended it with its handle", "[report]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        for (int i = 0; i < 3; ++i) {
            auto handler = spawn(handles_it);
            co_await handler.join();
            CHECK(handler.successful());
            CHECK(counted::alive == 0);
        }
        auto watcher = spawn([]() -> task<> {
            auto failed = spawn(fails_and_is_counted);
            co_await failed.join();
            CHECK(counted::alive == 1);
            CHECK(lines_of(ringlet::await_chain(failed.exception())) == 2);
        });
        co_await watcher.join();
        CHECK(counted::alive == 0);
    }());
}

TEST_CASE("each of the jobs that one exception ended has its own chain", "[report]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        const auto failure = std::make_exception_ptr(std::runtime_error{"it is for all"});
        auto one = spawn(one_way, failure);
        auto other = spawn(other_way, failure);
        co_await one.join();
        co_await other.join();
        for (int i = 0; i < 2; ++i) {
            const std::string first = ringlet::await_chain(one.exception());
            const std::string second = ringlet::await_chain(other.exception());
            CAPTURE(first, second);
            CHECK(lines_of(first) == 2);
            CHECK(contains(first, "one_way"));
            CHECK(lines_of(second) == 2);
            CHECK(contains(second, "other_way"));
        }
        // The next one begins when the others have been looked at.
        auto late = spawn(one_way, failure);
        co_await late.join();
        CHECK(lines_of(ringlet::await_chain(late.exception())) == 2);
    }());
}

TEST_CASE("a failure goes on with its chain in the job that gets it", "[report]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        const auto check = [](ringlet::job<>& of, std::string_view last, std::size_t lines) {
            const std::string chain = ringlet::await_chain(of.exception());
            CAPTURE(chain);
            CHECK(lines_of(chain) == lines);
            const auto thrown = chain.find("throws_late");
            const auto passed = chain.find("passes_on");
            const auto got = chain.find(last);
            CHECK(got != chain.npos);
            CHECK(thrown < passed);
            CHECK(passed < got);
        };
        auto failing = spawn(passes_on);
        for (int i = 0; i < 2; ++i) {  // the second does not go on where the first ended
            auto getter = spawn(gets_from, std::ref(failing));
            co_await getter.join();
            check(getter, "gets_from", 3);
            auto looker = spawn(throws_on_what_it_saw, std::ref(failing));
            co_await looker.join();
            check(looker, "throws_on_what_it_saw", 3);
        }
        auto temporary = spawn(gets_of_one_that_goes);
        co_await temporary.join();
        check(temporary, "gets_of_one_that_goes", 3);
        auto joiner = spawn(joins_all);
        co_await joiner.join();
        check(joiner, "joins_all", 3);
        auto owner = spawn(has_a_group);
        co_await owner.join();
        check(owner, "has_a_group", lines_of(ringlet::await_chain(owner.exception())));
    }());
}

TEST_CASE("a failure that leaves the run has its chain still", "[report]") {
    for (const bool dropped : {false, true}) {
        CAPTURE(dropped);
        std::string chain;
        try {
            checked_loop loop;
            loop.run([](bool drop) -> task<> {
                if (!drop) co_await fails_with_two_below();
                static_cast<void>(spawn(fails_with_two_below));
                co_await ringlet::sleep(1s);
            }(dropped));
        } catch (const std::runtime_error&) {
            chain = ringlet::await_chain(std::current_exception());
        }
        CAPTURE(chain);
        CHECK(lines_of(chain) == (dropped ? 3 : 4));
        CHECK(contains(chain, "fails_with_two_below"));
    }
}

TEST_CASE("the report of a crash ends though the list of jobs be broken", "[report]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        auto sleeper = spawn(outer_wait());
        sleeper.set_name("sleeper");
        auto other = spawn(outer_wait());
        co_await ringlet::sleep(1500ms);
        const auto report = [] {
            std::array<int, 2> fds{};
            REQUIRE(::pipe(fds.data()) == 0);
            ringlet::detail::print_tasks_in_handler(fds[1]);
            ::close(fds[1]);
            std::string text(1 << 16, ' ');
            text.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(fds[0], text.data(), text.size()), 0)));
            ::close(fds[0]);
            return text;
        };
        const std::string whole = report();
        CAPTURE(whole);
        CHECK(whole == "ringlet: the jobs of this loop:\n" + ringlet::describe_tasks());
        auto& link = sleeper.block().group_link;
        ringlet::detail::list_link* const right = link.next;
        for (ringlet::detail::list_link* const wrong : {&link, static_cast<ringlet::detail::list_link*>(nullptr)}) {
            link.next = wrong;
            const std::string text = report();
            link.next = right;
            CAPTURE(text);
            CHECK(lines_of(text) >= 3);
            CHECK(contains(text, "  sleeper: waits for sleep for 1.5 s at "));
            CHECK(text.ends_with("  and more\n"));
        }
        for (auto* each : {&sleeper, &other}) {
            each->cancel();
            co_await each->join();
        }
    }());
}
