// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/detail/closure_check.hpp>
#include <ringlet/core/detail/promise.hpp>

#include <coroutine>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace ringlet {

template <class T>
class task;

namespace detail {

template <class T>
class promise : public promise_base {
public:
    static_assert(!std::is_reference_v<T>, "a task returns a value; to refer to something, return a pointer");
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__, "an over-aligned result: return a unique_ptr to it");

    promise() noexcept {}
    ~promise() {
        if (state_ == state::value)
            std::destroy_at(&value_);
        else if (state_ == state::failure)
            std::destroy_at(&failure_);
    }

    task<T> get_return_object() noexcept;
    template <class U>
        requires std::constructible_from<T, U>
    void return_value(U&& value) {
        std::construct_at(&value_, std::forward<U>(value));
        state_ = state::value;
    }
    void unhandled_exception() noexcept {
        if (state_ == state::value) std::destroy_at(&value_);  // a local's destructor threw after co_return
        std::construct_at(&failure_, left_by());
        state_ = state::failure;
        note_unwound(failure_, site);
    }

    void swap_failure(std::exception_ptr& with) noexcept {
        if (state_ == state::failure) failure_.swap(with);
    }
    T&& value() noexcept { return std::move(value_); }
    T take() {
        if (state_ == state::failure) std::rethrow_exception(std::exchange(failure_, nullptr));
        return std::move(value_);
    }

private:
    enum class state : unsigned char { empty, value, failure };
    union {
        T value_;
        std::exception_ptr failure_;
    };
    state state_ = state::empty;
};

template <>
class promise<void> : public promise_base {
public:
    promise() noexcept {}
    task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void unhandled_exception() noexcept {
        failure_ = left_by();
        note_unwound(failure_, site);
    }
    void swap_failure(std::exception_ptr& with) noexcept { failure_.swap(with); }
    void take() {
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    }

private:
    std::exception_ptr failure_;
};

}  // namespace detail

/// A lazy coroutine that yields a T: it starts when it is awaited, or when `spawn` makes a job of it.
///
/// Result:    `co_await some_task()` gives the T.
/// Errors:    the exception that left the coroutine.
/// Lifetime:  parameters by value live in the frame; references must outlive the await.
/// Thread:    the loop's thread.
/// A task is awaited once, as an rvalue. Destroying one that was neither awaited nor spawned is a programmer error.
template <class T = void>
class [[nodiscard("a task does nothing until it is awaited or spawned")]] task {
public:
    using value_type = T;
    using promise_type = detail::promise<T>;
    using handle_type = std::coroutine_handle<promise_type>;

    explicit task(handle_type frame) noexcept : frame_{frame} {}
    task(task&& other) noexcept : frame_{std::exchange(other.frame_, nullptr)} {}
    task& operator=(task&&) = delete;
    ~task() {
        if (!frame_) return;
        // While an exception passes, arguments of a call that never took place may die unawaited, and so may the
        // arguments of a coroutine that has failed.
        const auto* loop = detail::this_thread_scheduler;
        detail::require(frame_.done() || std::uncaught_exceptions() > 0 || (loop && loop->discarding),
                        "a task was destroyed without having been awaited or spawned: co_await it, or spawn it");
        frame_.destroy();
    }

    bool begin(detail::job_block&, std::coroutine_handle<> self) {
        detail::require(fresh(), "a task was awaited twice: call the coroutine again for a new one");
        detail::scheduler& loop = *detail::this_thread_scheduler;
        const handle_type frame = frame_;
        if (loop.nesting < detail::scheduler::nested_starts_max) [[likely]] {
            ++loop.nesting;
            frame.resume();
            --loop.nesting;
            if (frame.done()) return false;
            frame.promise().continuation = self;
        } else {
            frame.promise().continuation = self;
            loop.next = frame;
        }
        return true;
    }
    T resume(detail::job_block&) { return frame_.promise().take(); }

    /// For spawn: the frame, no longer owned.
    handle_type release() noexcept {
        detail::require(fresh(), "a task was used twice: call the coroutine again for a new one");
        return std::exchange(frame_, nullptr);
    }

private:
    // One that has suspended has a continuation: it may be awaited, by reference, from somewhere else.
    bool fresh() const noexcept { return frame_ && !frame_.done() && !frame_.promise().continuation; }

    handle_type frame_;
};

namespace detail {

template <class T>
task<T> promise<T>::get_return_object() noexcept {
    return task<T>{std::coroutine_handle<promise<T>>::from_promise(*this)};
}
inline task<void> promise<void>::get_return_object() noexcept {
    return task<void>{std::coroutine_handle<promise<void>>::from_promise(*this)};
}

/// The promise of a coroutine whose first parameter is an lvalue reference to a class: a lambda's own object, perhaps.
template <class T, class L>
class lambda_promise : public promise<T> {
public:
    lambda_promise() noexcept { refuse_captures<L>(); }
};

}  // namespace detail
}  // namespace ringlet

template <class T, class L, class... Args>
    requires std::is_class_v<std::remove_const_t<L>>
struct std::coroutine_traits<ringlet::task<T>, L&, Args...> {
    using promise_type = ringlet::detail::lambda_promise<T, std::remove_const_t<L>>;
};
