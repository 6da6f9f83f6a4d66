// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/io/mailbox.hpp>
#include <ringlet/os/process.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

namespace ringlet {
namespace os {
namespace detail {

/// A thread that runs a function, and who waits for its end: a job of a loop, at most one at a time.
class thread_state {
public:
    thread_state() = default;
    thread_state(const thread_state&) = delete;
    thread_state& operator=(const thread_state&) = delete;
    virtual ~thread_state();

    /// Starts it. Every signal is blocked in it. Errors: std::system_error (EAGAIN); ENOSYS in the simulation.
    void start();
    /// Blocks until it has ended; the second time does nothing.
    void join() noexcept;
    bool ended() const noexcept;
    std::exception_ptr take_failure() noexcept { return std::exchange(failure_, nullptr); }

protected:
    virtual void call() = 0;

private:
    friend class thread_end;
    void run() noexcept;

    mutable std::mutex lock_;
    class thread_end* waiter_ = nullptr;
    bool ended_ = false;
    std::exception_ptr failure_;
    std::thread thread_;
};

/// Waits for the end of a thread.
class [[nodiscard("nothing happens until this is awaited")]] thread_end final : public leaf<thread_end, void> {
public:
    explicit thread_end(thread_state& of) noexcept : of_{&of} {}
    thread_end(thread_end&& other) noexcept : leaf{std::move(other)}, of_{other.of_} {}  // before it is awaited
    static constexpr std::string_view name = "the end of a thread";
    bool start(ringlet::detail::job_block& job);
    result<void> outcome(ringlet::detail::job_block&) const noexcept;

private:
    friend thread_state;
    struct reply : io::letter {
        explicit reply(thread_end& owner) noexcept : letter{&deliver_it}, self{&owner} {}
        static void deliver_it(io::letter& l) noexcept;
        thread_end* self;
    };
    static void cancel(ringlet::detail::job_block& job) noexcept;
    static const ringlet::detail::wait_kind kind;

    thread_state* of_;
    ringlet::detail::job_block* job_ = nullptr;
    io::loop* home_ = nullptr;
    io::mailbox* box_ = nullptr;
    reply reply_{*this};
};

template <class T>
struct thread_result : thread_state {
    std::optional<T> value;
};
template <>
struct thread_result<void> : thread_state {};

template <class T, class F, class... Args>
struct thread_call final : thread_result<T> {
    thread_call(const io::loop_options& options_wanted, F&& f, Args&&... a)
        : options{options_wanted}, function{std::move(f)}, args{std::move(a)...} {}
    ~thread_call() override { this->join(); }  // before the members go
    void call() override {
        std::apply(
            [this](Args&... each) {
                if constexpr (std::is_void_v<T>)
                    call_anyhow(options, function, each...);
                else
                    this->value.emplace(call_anyhow(options, function, each...));
            },
            args);
    }
    io::loop_options options;
    F function;
    std::tuple<Args...> args;
};

}  // namespace detail

/// A function that runs on a thread of its own. As gevent's and Python's Thread, but that leaving the scope joins it, and
/// that `join` gives its value or throws its failure. For what may take long or never ends; short calls that block go to
/// `offload`, whose threads are there already.
///
///     os::thread adder{add, 1, 2};
///     const int sum = co_await adder.join();
///
/// Function and arguments are moved to the thread's storage and destroyed with this handle. What two threads share must be
/// made for it: no job, queue, event or socket of a loop may be used on another loop's thread.
template <class T = void>
class thread {
    static_assert(!std::is_reference_v<T>, "a thread's function returns a value; return a pointer instead");

public:
    /// Starts `function(args...)`. A coroutine function gets a loop, with the options of this thread's. Signals are
    /// blocked in the thread, all but those of a crash: they stay with the threads that wait for them. A process or popen
    /// that it starts has the mask of the thread that makes this one.
    /// Errors: std::system_error (EAGAIN) when there is no thread to be had; ENOSYS in the simulation.
    template <class F, class... Args>
        requires std::invocable<F&, Args&...>
    explicit thread(F function, Args... args)
        : state_{std::make_unique<detail::thread_call<T, F, Args...>>(detail::options_of_this_thread(),
                                                                      std::move(function), std::move(args)...)} {
        state_->start();
    }
    thread(thread&&) noexcept = default;
    /// Joins what it held before.
    thread& operator=(thread&&) noexcept = default;
    /// Joins: blocks, and the loop with it, until the function has returned; await `join` first. A failure that nobody
    /// has seen is printed.
    ~thread() = default;

    /// Waits until the function has returned, without holding up the loop. Once: it takes the value. One that was
    /// cancelled or ran out of time took nothing, and may be repeated. One job at a time.
    ///
    /// Result:    what the function, or its task, gives.
    /// Errors:    what it throws; `cancelled`, which does not end the thread.
    /// Lifetime:  borrows the thread until the co_await ends.
    /// Thread:    a loop's.
    /// Maps to:   no system call of its own: the end comes through the loop's mailbox.
    task<T> join() {
        co_await detail::thread_end{*state_};
        if (const std::exception_ptr failure = state_->take_failure()) std::rethrow_exception(failure);
        if constexpr (!std::is_void_v<T>) {
            ringlet::detail::require(state_->value.has_value(), "the value of a thread was taken twice");
            T value = *std::move(state_->value);
            state_->value.reset();
            co_return value;
        }
    }

    /// Whether the function has returned.
    bool ended() const noexcept { return state_->ended(); }

private:
    std::unique_ptr<detail::thread_result<T>> state_;
};

template <class F, class... Args>
thread(F, Args...) -> thread<typename detail::value_of<std::invoke_result_t<F&, Args&...>>::type>;

}  // namespace os

using os::thread;

}  // namespace ringlet
