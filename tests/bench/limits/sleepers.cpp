// SPDX-License-Identifier: MIT
// The limit for sleeping tasks: bare coroutines and a binary heap of deadlines, no runtime. bench-limit-sleepers [--short]
#include "common/measure.hpp"
#include "common/process.hpp"

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using bench::clock;
using timer = std::pair<clock::time_point, void*>;

std::vector<timer> timers;

struct bare_sleep {
    explicit bare_sleep(clock::duration length) noexcept : length_{length} {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) const {
        timers.emplace_back(clock::now() + length_, self.address());
        std::push_heap(timers.begin(), timers.end(), std::greater<>{});
    }
    void await_resume() const noexcept {}

private:
    clock::duration length_;
};

struct bare_task {
    struct promise_type {
        bare_task get_return_object() noexcept { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { std::terminate(); }
    };
};

bare_task sleeper(clock::duration length) { co_await bare_sleep{length}; }

void run_timers() {
    while (!timers.empty()) {
        if (timers.front().first > clock::now()) std::this_thread::sleep_until(timers.front().first);
        std::pop_heap(timers.begin(), timers.end(), std::greater<>{});
        void* const due = timers.back().second;
        timers.pop_back();
        std::coroutine_handle<>::from_address(due).resume();
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t count = argc > 1 && std::string_view{argv[1]} == "--short" ? 20'000 : 1'000'000;
    const std::uint64_t before = bench::resident_bytes(::getpid());
    const auto start = clock::now();
    timers.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto part = static_cast<double>(i * 382'123 % count) / static_cast<double>(count);
        sleeper(std::chrono::nanoseconds{static_cast<std::int64_t>(part * 1e9)});
    }
    run_timers();
    const double seconds = bench::nanoseconds_since(start) / 1e9;
    const auto grown = static_cast<double>(bench::peak_resident_bytes()) - static_cast<double>(before);
    bench::print_summary("bare_sleepers_wall", "s", bench::summarize({seconds}));
    bench::print_summary("bare_sleepers_resident", "B", bench::summarize({grown / static_cast<double>(count)}));
}
