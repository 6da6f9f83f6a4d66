// SPDX-License-Identifier: MIT
// The limit for tasks: bare coroutines, their frames from operator new, a ready queue, and no runtime: no names, no
// cancellation, no errors, no structure. What the language alone costs.
#include "common/measure.hpp"

#include <algorithm>
#include <coroutine>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <optional>
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

/// An await that is over before it begins, as far as only the program's run can tell.
struct ready_wait {
    explicit ready_wait(const bool& is_ready) noexcept : is_ready_{&is_ready} {}
    bool await_ready() const noexcept { return *is_ready_; }
    void await_suspend(std::coroutine_handle<> self) const { ready.push(self); }
    void await_resume() const noexcept {}

private:
    const bool* is_ready_;
};

/// One value between one sender and one receiver. Whoever is woken goes to the end of the ready queue.
class slot {
public:
    class sending {
    public:
        sending(slot& to, std::uint64_t value) noexcept : to_{&to}, value_{value} {}
        bool await_ready() const noexcept { return !to_->value_; }
        void await_suspend(std::coroutine_handle<> self) const noexcept { to_->sender_ = self; }
        void await_resume() const noexcept {
            to_->value_ = value_;
            wake(to_->receiver_);
        }

    private:
        slot* to_;
        std::uint64_t value_;
    };
    class receiving {
    public:
        explicit receiving(slot& from) noexcept : from_{&from} {}
        bool await_ready() const noexcept { return from_->value_.has_value(); }
        void await_suspend(std::coroutine_handle<> self) const noexcept { from_->receiver_ = self; }
        std::uint64_t await_resume() const noexcept {
            wake(from_->sender_);
            return *std::exchange(from_->value_, std::nullopt);
        }

    private:
        slot* from_;
    };

private:
    static void wake(std::coroutine_handle<>& waiting) {
        if (waiting) ready.push(std::exchange(waiting, nullptr));
    }
    std::optional<std::uint64_t> value_;
    std::coroutine_handle<> sender_;
    std::coroutine_handle<> receiver_;
};

bare_task add_one(std::uint64_t& sum) {
    ++sum;
    co_return;
}

bare_task switch_many(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) co_await yield_to_others{};
}

bare_task await_ready_many(bool& is_ready, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        co_await ready_wait{is_ready};
        bench::keep(is_ready);
    }
}

bare_task send_many(slot& to, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) co_await slot::sending{to, i};
}

bare_task receive_many(slot& from, std::uint64_t count, std::uint64_t& sum) {
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t value = co_await slot::receiving{from};
        sum += value;
    }
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

/// Runs coroutines from their beginning to their end; the time of one of `steps`.
double run_ns(std::initializer_list<bare_task> tasks, std::uint64_t steps) {
    ready.reserve(4);
    for (const bare_task& task : tasks) ready.push(task.handle);
    const auto start = bench::clock::now();
    ready.run();
    const double taken = bench::nanoseconds_since(start) / static_cast<double>(steps);
    for (const bare_task& task : tasks) task.handle.destroy();
    return taken;
}

double switch_ns(std::uint64_t count) { return run_ns({switch_many(count), switch_many(count)}, 2 * count); }

double turn_ns(std::uint64_t count) { return run_ns({switch_many(count)}, count); }

double ready_await_ns(std::uint64_t count) {
    bool is_ready = true;
    bench::keep(is_ready);
    return run_ns({await_ready_many(is_ready, count)}, count);
}

double hop_ns(std::uint64_t count) {
    slot between;
    std::uint64_t sum = 0;
    const double taken = run_ns({receive_many(between, count, sum), send_many(between, count)}, count);
    if (sum != count * (count - 1) / 2) std::abort();
    return taken;
}

}  // namespace

int main(int argc, char** argv) {
    const bool short_run = argc > 1 && std::string_view{argv[1]} == "--short";
    const std::size_t million = short_run ? 20'000 : 1'000'000;
    const std::size_t repetitions = short_run ? 1 : 9;
    const std::size_t awaits = short_run ? 4'000 : 200'000;
    const double fresh = spawn_and_join_ns(million, million);
    bench::print_summary("bare_spawn_join_1m_fresh", "ns", bench::summarize({fresh}));
    bench::print_summary("bare_spawn_join_1m_warm", "ns",
                         bench::repeat(repetitions, [&] { return spawn_and_join_ns(million, million); }));
    bench::print_summary("bare_spawn_join_1000", "ns",
                         bench::repeat(repetitions, [&] { return spawn_and_join_ns(1'000, million); }));
    bench::print_summary("bare_switch", "ns", bench::repeat(repetitions, [&] { return switch_ns(million); }));
    bench::print_summary("bare_turn", "ns", bench::repeat(3 * repetitions, [&] { return turn_ns(awaits); }));
    bench::print_summary("bare_ready_await", "ns",
                         bench::repeat(3 * repetitions, [&] { return ready_await_ns(awaits); }));
    bench::print_summary("bare_hop", "ns", bench::repeat(3 * repetitions, [&] { return hop_ns(awaits / 2); }));
}
