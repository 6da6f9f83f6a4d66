// SPDX-License-Identifier: MIT
// Python's "with": destructors, which run however a block is left.
//
// "with open(name) as f:" closes the file at the end of the block, also after return or an
// exception: __enter__ at its beginning, __exit__ at its end. In C++ every object does that: its
// constructor runs where it is declared, its destructor at the end of the block in which it stands,
// whatever ends that block. The rule has an ugly name, RAII ("resource acquisition is
// initialization"): what must be given back belongs to an object. std::lock_guard, std::ofstream
// and std::unique_ptr are such objects, and so are ringlet's sockets and files.
//
// Several objects go in the opposite order of their coming, as nested with-blocks do. A job that is
// cancelled unwinds in the same way: its wait throws, its destructors run.

#include <ringlet/core/job.hpp>
#include <ringlet/testing/virtual_loop.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/core.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

using namespace std::chrono_literals;

class door {
public:
    explicit door(std::string name) : name_{std::move(name)} { fmt::print("  {} opens\n", name_); }  // __enter__
    ~door() { fmt::print("  {} closes\n", name_); }                                                  // __exit__
    door(const door&) = delete;  // two objects would close the same door twice
    door& operator=(const door&) = delete;

private:
    std::string name_;
};

void walk_through() {
    const door front{"front door"};
    const door back{"back door"};
    fmt::print("  inside\n");
}

int leave_early() {
    const door front{"front door"};
    return 1;
}

void stumble() {
    const door front{"front door"};
    throw std::runtime_error{"stumbled"};
}

ringlet::task<> stay() {
    const door front{"front door"};
    co_await ringlet::sleep(1h);
}

ringlet::task<> cancel_it() {
    auto job = ringlet::spawn(stay);
    co_await ringlet::yield();  // it begins
    job.cancel();
    co_await job.join();
}

int main() {
    fmt::print("the end of the block:\n");
    walk_through();
    fmt::print("return:\n");
    leave_early();
    fmt::print("an exception:\n");
    try {
        stumble();
    } catch (const std::exception& error) {
        fmt::print("  {}\n", error.what());
    }
    fmt::print("a job that is cancelled:\n");
    ringlet::testing::virtual_loop loop;
    loop.run(cancel_it());
}
