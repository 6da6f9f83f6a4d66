// SPDX-License-Identifier: MIT
// The limit for tasks: bare coroutines, their frames from operator new, a ready queue, and no runtime: no names, no
// cancellation, no errors, no structure. What the language alone costs.
#include "common/measure.hpp"

#include <algorithm>
#include <coroutine>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

namespace {

/// A ring of handles that grows before it is used, not while.
class ready_queue {
public:
    void reserve(std::size_t count) {
        std::size_t size = 1;
        while (size < count) size *= 2;
        if (size > slots_.size()) slots_.resize(size);
    }
    void push(std::coroutine_handle<> handle) { slots_[tail_++ & (slots_.size() - 1)] = handle; }
    void run() {
        while (head_ != tail_) slots_[head_++ & (slots_.size() - 1)].resume();
    }

private:
    std::vector<std::coroutine_handle<>> slots_;
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
};

ready_queue ready;

struct bare_task {
    struct promise_type {
        bare_task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
};

struct yield_to_others {
    yield_to_others() noexcept {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) const { ready.push(self); }
    void await_resume() const noexcept {}
};

bare_task add_one(std::uint64_t& sum) {
    ++sum;
    co_return;
}

bare_task switch_many(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) co_await yield_to_others{};
}

double spawn_and_join_ns(std::size_t alive, std::size_t total) {
    ready.reserve(alive);
    std::vector<std::coroutine_handle<>> jobs;
    jobs.reserve(alive);
    std::uint64_t sum = 0;
    const auto start = bench::clock::now();
    for (std::size_t done = 0; done < total; done += alive) {
        for (std::size_t i = 0; i < alive; ++i) {
            jobs.push_back(add_one(sum).handle);
            ready.push(jobs.back());
        }
        ready.run();
        for (const auto job : jobs) job.destroy();
        jobs.clear();
    }
    const double taken = bench::nanoseconds_since(start) / static_cast<double>(total);
    if (sum != total) std::abort();
    return taken;
}

double switch_ns(std::uint64_t count) {
    ready.reserve(4);
    const auto first = switch_many(count).handle;
    const auto second = switch_many(count).handle;
    ready.push(first);
    ready.push(second);
    const auto start = bench::clock::now();
    ready.run();
    const double taken = bench::nanoseconds_since(start) / static_cast<double>(2 * count);
    first.destroy();
    second.destroy();
    return taken;
}

}  // namespace

int main(int argc, char** argv) {
    const bool short_run = argc > 1 && std::string_view{argv[1]} == "--short";
    const std::size_t million = short_run ? 20'000 : 1'000'000;
    const std::size_t repetitions = short_run ? 1 : 9;
    const double fresh = spawn_and_join_ns(million, million);
    bench::print_summary("bare_spawn_join_1m_fresh", "ns", bench::summarize({fresh}));
    bench::print_summary("bare_spawn_join_1m_warm", "ns",
                         bench::repeat(repetitions, [&] { return spawn_and_join_ns(million, million); }));
    bench::print_summary("bare_spawn_join_1000", "ns",
                         bench::repeat(repetitions, [&] { return spawn_and_join_ns(1'000, million); }));
    bench::print_summary("bare_switch", "ns", bench::repeat(repetitions, [&] { return switch_ns(million); }));
}
