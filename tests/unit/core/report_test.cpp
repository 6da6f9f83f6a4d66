// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/time/sleep.hpp>

#include <stdexcept>
#include <string>
#include <vector>

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
