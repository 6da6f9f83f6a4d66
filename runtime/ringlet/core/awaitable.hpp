// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/cancellation.hpp>
#include <ringlet/core/detail/job_block.hpp>
#include <ringlet/core/error.hpp>
#include <ringlet/core/result.hpp>
#include <ringlet/core/scheduler.hpp>

#include <concepts>
#include <coroutine>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ringlet {
namespace detail {

/// The awaitable protocol. `begin` starts the wait of `job`, whose innermost frame is `self`, and says whether the job
/// has to suspend; `resume`, once the wait is over, returns the value or throws. An awaitable that can tell its outcome
/// without throwing has `end` as well (a leaf: operations, sleep, join, and the adapters of those).
template <class A>
inline constexpr bool is_awaitable = requires(A& a, job_block& job, std::coroutine_handle<> self) {
    typename A::value_type;
    { a.begin(job, self) } -> std::same_as<bool>;
    { a.resume(job) } -> std::same_as<typename A::value_type>;
};

template <class A>
inline constexpr bool is_leaf = is_awaitable<A> && requires(A& a, job_block& job) {
    { a.end(job) } noexcept -> std::same_as<result<typename A::value_type>>;
    a.raise(std::error_code{});
};

/// What the compiler calls. Holds a pointer, because an await_transform that returns a reference makes g++ 12 copy.
template <class A>
class awaiter {
public:
    explicit awaiter(A& awaitable) noexcept : awaitable_{&awaitable} {}
    bool await_ready() const noexcept { return false; }
    // A task runs only as part of a job, so there is a current one.
    bool await_suspend(std::coroutine_handle<> self) const {
        return awaitable_->begin(*this_thread_scheduler->current_job(), self);
    }
    typename A::value_type await_resume() const { return awaitable_->resume(*this_thread_scheduler->current_job()); }

private:
    A* awaitable_;
};

/// Apart, so that the code around it keeps nothing for it.
[[noreturn, gnu::noinline]] inline void raise_cancelled() { throw cancelled{}; }

}  // namespace detail

/// Base of every leaf awaitable. `Derived` has
///   `bool start(detail::job_block&)`       begins the wait: sets `waiting` and returns true, or completes it at once
///                                          (sets `res`, returns false);
///   `result<T> outcome(detail::job_block&)` decodes `res` when the wait was not cancelled; noexcept. It may return T itself
///                                          where nothing but a cancellation can fail the wait;
///   `static constexpr std::string_view name`, and optionally `std::string subject() const` for error texts.
/// It may be moved until it is awaited, and is awaited once.
template <class Derived, class T>
class [[nodiscard("nothing happens until this is awaited")]] leaf {
public:
    using value_type = T;

    bool begin(detail::job_block& job, std::coroutine_handle<> self) {
        detail::require(!awaited_, "an operation was awaited twice: make a new one for each await");
        awaited_ = true;
        if (job.has(detail::job_block::cancel_pending)) [[unlikely]] {
            job.res = detail::wait_cancelled;
            return false;
        }
        job.resume_point = self;
        job.res = 0;
        return derived().start(job);
    }
    result<T> end(detail::job_block& job) noexcept {
        if (job.res == detail::wait_cancelled) [[unlikely]]
            return detail::cancelled_code();
        if constexpr (std::is_void_v<decltype(derived().outcome(job))>) {
            derived().outcome(job);
            return {};
        } else {
            return derived().outcome(job);
        }
    }
    T resume(detail::job_block& job) {
        if constexpr (std::same_as<decltype(derived().outcome(job)), T>) {
            if (job.res == detail::wait_cancelled) [[unlikely]]
                detail::raise_cancelled();
            return derived().outcome(job);
        } else {
            result<T> outcome = end(job);
            if (!outcome) [[unlikely]]
                raise(outcome.error());
            if constexpr (!std::is_void_v<T>) return *std::move(outcome);
        }
    }
    [[noreturn]] void raise(const std::error_code& code) const {
        if (detail::is_cancelled(code)) throw cancelled{};
        throw std::system_error{code, title()};
    }
    /// Name and subject, "recv 127.0.0.1:5000".
    std::string title() const {
        std::string text{Derived::name};
        if constexpr (requires { derived().subject(); }) {
            if (const std::string about = derived().subject(); !about.empty()) text += " " + about;
        }
        return text;
    }

protected:
    leaf() noexcept = default;
    leaf(leaf&&) noexcept = default;
    leaf& operator=(leaf&&) = delete;
    ~leaf() = default;

private:
    Derived& derived() noexcept { return static_cast<Derived&>(*this); }
    const Derived& derived() const noexcept { return static_cast<const Derived&>(*this); }

    bool awaited_ = false;
};

namespace detail {

/// Lets every job that is ready now run first: for waits that are over before they begin, because a function that can
/// suspend suspends on every call. Where nobody is ready, that is over at once.
/// Result: whether the job has to suspend.
[[nodiscard]] inline bool suspend_once(job_block& job) noexcept {
    scheduler& loop = *this_thread_scheduler;
    if (loop.may_go_on()) return false;
    loop.make_ready(job);
    return true;
}

/// Destroys what nobody will await any more, because of a failure. That tasks are among it is no mistake then.
template <class A>
void give_up(A& awaitable) noexcept {
    scheduler& loop = *this_thread_scheduler;
    const bool outer = std::exchange(loop.discarding, true);
    {
        [[maybe_unused]] const A gone{std::move(awaitable)};
    }
    loop.discarding = outer;
}

/// `as_result(a)`: operating errors become values; cancellation still unwinds.
template <class A>
class [[nodiscard("nothing happens until this is awaited")]] as_result_adapter {
public:
    using value_type = result<typename A::value_type>;

    explicit as_result_adapter(A&& inner) noexcept : inner_{std::move(inner)} {}
    bool begin(job_block& job, std::coroutine_handle<> self) { return inner_.begin(job, self); }
    value_type resume(job_block& job) {
        if constexpr (is_leaf<A>) {
            value_type outcome = inner_.end(job);
            if (!outcome && is_cancelled(outcome.error())) throw cancelled{};
            return outcome;
        } else {
            try {
                if constexpr (std::is_void_v<typename A::value_type>) {
                    inner_.resume(job);
                    return {};
                } else {
                    return inner_.resume(job);
                }
            } catch (const std::system_error& error) {
                const std::error_code code = error.code();
                give_up(inner_);
                return code;
            }
        }
    }

private:
    A inner_;
};

/// `shield(a)`: a cancellation from outside waits until `a` has ended.
template <class A>
class [[nodiscard("nothing happens until this is awaited")]] shield_adapter {
public:
    using value_type = typename A::value_type;

    explicit shield_adapter(A&& inner) noexcept : inner_{std::move(inner)}, scope_{cancel_scope::kind::shield} {}
    bool begin(job_block& job, std::coroutine_handle<> self) {
        scope_.enter(job);
        try {
            return inner_.begin(job, self);
        } catch (...) {
            scope_.leave();
            throw;
        }
    }
    // What is inside ends first: it may have scopes of its own.
    result<value_type> end(job_block& job) noexcept
        requires is_leaf<A>
    {
        auto outcome = inner_.end(job);
        scope_.leave();
        return outcome;
    }
    value_type resume(job_block& job) {
        const leave_at_end guard{scope_};
        return inner_.resume(job);
    }
    [[noreturn]] void raise(const std::error_code& code) const
        requires is_leaf<A>
    {
        inner_.raise(code);
    }
    std::string title() const
        requires is_leaf<A>
    {
        return inner_.title();
    }

private:
    struct leave_at_end {
        cancel_scope& scope;
        ~leave_at_end() { scope.leave(); }
    };

    A inner_;
    cancel_scope scope_;
};

}  // namespace detail

/// Turns the operating errors of an operation or task into values.
///
/// Result:    `result<T>`: the value, or the std::error_code that would have been thrown as std::system_error.
/// Errors:    `cancelled` still unwinds; a task's exceptions other than std::system_error pass through.
/// Lifetime:  as the wrapped awaitable, which it holds by value. Allocates nothing around an operation.
template <class A>
    requires detail::is_awaitable<A>
auto as_result(A awaitable) noexcept {
    return detail::as_result_adapter<A>{std::move(awaitable)};
}

/// Runs an operation or task to its end whatever cancellation is asked for meanwhile; the next await outside raises it.
/// For clean-up that awaits. Allocates nothing around an operation.
template <class A>
    requires detail::is_awaitable<A>
auto shield(A awaitable) noexcept {
    return detail::shield_adapter<A>{std::move(awaitable)};
}

}  // namespace ringlet
