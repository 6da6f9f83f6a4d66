// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/detail/promise.hpp>
#include <ringlet/core/generator.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace ringlet {

template <class T>
class async_generator;

namespace detail {

template <class T>
class async_generator_promise : public promise_base {
public:
    async_generator_promise() noexcept {}
    async_generator<T> get_return_object() noexcept;
    void return_void() const noexcept {}
    void unhandled_exception() noexcept {
        failure = left_by();
        note_unwound(failure, site);
    }

    class yield_awaiter {
    public:
        explicit yield_awaiter(async_generator_promise& promise) noexcept : promise_{&promise} {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<>) const noexcept {
            // No continuation: it was resumed within the consumer's await, which sees the value and goes on.
            if (const auto consumer = std::exchange(promise_->continuation, nullptr))
                this_thread_scheduler->next = consumer;
        }
        void await_resume() const {
            if (promise_->injected) std::rethrow_exception(std::exchange(promise_->injected, nullptr));
        }

    private:
        async_generator_promise* promise_;
    };
    template <class Value>
        requires std::constructible_from<T, Value>
    yield_awaiter yield_value(Value&& value) {
        yielded.emplace(std::forward<Value>(value));
        return yield_awaiter{*this};
    }

    std::optional<T> yielded;
    std::exception_ptr failure;
    std::exception_ptr injected;
    bool begun = false;   // its body: not before the first step is awaited
    bool closed = false;  // before it had begun: it never will
};

/// Resumes the generator in the consumer's job until it yields or ends.
template <class T>
class async_step {
public:
    using handle = std::coroutine_handle<async_generator_promise<T>>;
    explicit async_step(handle frame) noexcept : frame_{frame} {}

    bool begin(job_block&, std::coroutine_handle<> self) {
        auto& promise = frame_.promise();
        require(!promise.continuation,
                "an async_generator was asked for a value while it works on one: let one job ask, and tell the others");
        scheduler& loop = *this_thread_scheduler;
        promise.yielded.reset();
        if (promise.closed || frame_.done()) return false;
        promise.begun = true;
        if (loop.nesting >= scheduler::nested_starts_max) {
            promise.continuation = self;
            loop.next = frame_;
            return true;
        }
        ++loop.nesting;
        frame_.resume();
        --loop.nesting;
        if (frame_.done() || promise.yielded) return false;
        promise.continuation = self;
        return true;
    }
    std::optional<T> take() {
        auto& promise = frame_.promise();
        promise.continuation = nullptr;  // still there when it has ended
        if (promise.failure) std::rethrow_exception(std::exchange(promise.failure, nullptr));
        return std::exchange(promise.yielded, std::nullopt);
    }

protected:
    handle frame_;
};

template <class T>
class [[nodiscard("nothing happens until this is awaited")]] async_next : private async_step<T> {
public:
    using value_type = std::optional<T>;
    using async_step<T>::async_step;
    using async_step<T>::begin;
    std::optional<T> resume(job_block&) { return this->take(); }
};

template <class T>
class [[nodiscard("nothing happens until this is awaited")]] async_close : private async_step<T> {
public:
    using value_type = void;
    using async_step<T>::async_step;
    bool begin(job_block& job, std::coroutine_handle<> self) {
        auto& promise = this->frame_.promise();
        if (!promise.begun) promise.closed = true;
        if (promise.closed || this->frame_.done()) return false;
        promise.injected = std::make_exception_ptr(generator_exit{});
        return async_step<T>::begin(job, self);
    }
    void resume(job_block&) {
        try {
            if (this->take()) throw std::runtime_error{"an async_generator that was closed went on to yield"};
        } catch (const generator_exit&) {
        }
    }
};

}  // namespace detail

/// A generator that may wait between its values: `while (auto value = co_await values.next())`. It runs in the job that
/// asks, and only while that waits; so it needs no job of its own, and a cancellation or time limit reaches what it waits for.
///
/// Lifetime:  may be destroyed whenever nobody waits in it: what it holds is destroyed, where it stands. Who has clean-up
///            that awaits is closed by `close` before.
/// Thread:    the loop's thread only.
template <class T>
class [[nodiscard("a generator does nothing until it is asked for values")]] async_generator {
public:
    using promise_type = detail::async_generator_promise<T>;

    async_generator(async_generator&& other) noexcept : frame_{std::exchange(other.frame_, nullptr)} {}
    async_generator& operator=(async_generator&& other) noexcept {
        if (this != &other) {
            destroy();
            frame_ = std::exchange(other.frame_, nullptr);
        }
        return *this;
    }
    ~async_generator() { destroy(); }

    /// Goes on to the next value.
    /// Result: the value; nullopt at the end. Errors: what leaves the generator, once, `cancelled` among it; then it is at
    /// its end. One value at a time.
    auto next() noexcept { return detail::async_next<T>{frame()}; }

    /// Raises generator_exit where it stands, and waits until it has ended. One whose body has not begun, because no `next`
    /// was awaited, ends without. Errors: std::runtime_error when it yields instead; what else leaves it.
    auto close() noexcept { return detail::async_close<T>{frame()}; }

    bool done() const noexcept { return frame().promise().closed || frame().done(); }

private:
    friend promise_type;
    explicit async_generator(std::coroutine_handle<promise_type> frame) noexcept : frame_{frame} {}
    std::coroutine_handle<promise_type> frame() const noexcept {
        detail::require(frame_ != nullptr, "this async_generator was moved from: ask the one that it was moved to");
        return frame_;
    }
    void destroy() noexcept {
        if (!frame_) return;
        detail::require(!frame_.promise().continuation,
                        "an async_generator was destroyed while a job waits in it: cancel and join that job first");
        frame_.destroy();
    }

    std::coroutine_handle<promise_type> frame_;
};

namespace detail {
template <class T>
async_generator<T> async_generator_promise<T>::get_return_object() noexcept {
    return async_generator<T>{std::coroutine_handle<async_generator_promise>::from_promise(*this)};
}
}  // namespace detail

}  // namespace ringlet
