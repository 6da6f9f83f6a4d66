// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/time/clock.hpp>
#include <ringlet/time/limit_scope.hpp>

#include <chrono>
#include <concepts>
#include <optional>
#include <source_location>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace ringlet {
namespace detail {

/// When a limit ends: a length of time from the await on, or a point in time.
class time_limit {
public:
    explicit time_limit(std::chrono::nanoseconds length) noexcept : count_{length.count()}, relative_{true} {}
    explicit time_limit(deadline when) noexcept : count_{when.time_since_epoch().count()}, relative_{false} {}
    deadline when() const noexcept {
        return relative_ ? deadline_after(std::chrono::nanoseconds{count_}) : deadline{clock::duration{count_}};
    }
    /// "time limit of 20 ms exceeded"
    std::string describe_end() const;

private:
    std::int64_t count_;
    bool relative_;
};

[[noreturn]] void raise_timeout(const std::string& what, const time_limit& limit, const std::source_location& where);

/// What with_timeout and move_on_after share.
template <class A>
class limited {
public:
    limited(time_limit limit, A&& inner) noexcept : inner_{std::move(inner)}, limit_{limit} {}

    bool begin(job_block& job, std::coroutine_handle<> self) {
        scope_.begin(job, limit_.when());
        try {
            return inner_.begin(job, self);
        } catch (...) {
            scope_.end();
            throw;
        }
    }
    std::string title() const
        requires is_leaf<A>
    {
        return inner_.title();
    }

protected:
    struct end_of_scope {
        limit_scope& scope;
        ~end_of_scope() { scope.end(); }
    };

    result<typename A::value_type> end_inner(job_block& job) noexcept
        requires is_leaf<A>
    {
        auto outcome = inner_.end(job);  // first: it may have scopes of its own
        scope_.end();
        return outcome;
    }
    // An outer cancellation or limit that is due as well goes first.
    bool mine(const job_block& job) const noexcept {
        return scope_.cancel_called() && !job.has(job_block::cancel_pending);
    }

    A inner_;
    time_limit limit_;
    limit_scope scope_;
};

template <class A>
class [[nodiscard("nothing happens until this is awaited")]] timeout_adapter : public limited<A> {
    using limited<A>::inner_;
    using limited<A>::limit_;
    using limited<A>::scope_;
    using typename limited<A>::end_of_scope;

public:
    using value_type = typename A::value_type;

    timeout_adapter(time_limit limit, A&& inner, std::source_location where) noexcept
        : limited<A>{limit, std::move(inner)}, where_{where} {}

    result<value_type> end(job_block& job) noexcept
        requires is_leaf<A>
    {
        auto outcome = this->end_inner(job);
        if (!outcome && is_cancelled(outcome.error()) && this->mine(job)) return time_limit_code();
        return outcome;
    }
    value_type resume(job_block& job) {
        if constexpr (is_leaf<A>) {
            auto outcome = end(job);
            if (!outcome) [[unlikely]]
                raise(outcome.error());
            if constexpr (!std::is_void_v<value_type>) return *std::move(outcome);
        } else {
            try {
                const end_of_scope guard{scope_};
                return inner_.resume(job);
            } catch (const cancelled&) {
                if (!this->mine(job)) throw;
            }
            if constexpr (requires { inner_.title(); })
                raise_timeout(inner_.title(), limit_, where_);
            else
                raise_timeout("", limit_, where_);
        }
    }
    [[noreturn]] void raise(const std::error_code& code) const
        requires is_leaf<A>
    {
        if (scope_.cancel_called() && code == time_limit_code()) raise_timeout(this->title(), limit_, where_);
        inner_.raise(code);
    }

private:
    std::source_location where_;
};

template <class T>
using value_in_time = std::conditional_t<std::is_void_v<T>, bool, std::optional<T>>;

template <class A>
class [[nodiscard("nothing happens until this is awaited")]] move_on_adapter : public limited<A> {
    using limited<A>::inner_;
    using limited<A>::scope_;
    using typename limited<A>::end_of_scope;
    using inner_type = typename A::value_type;

public:
    using value_type = value_in_time<inner_type>;
    using limited<A>::limited;

    result<value_type> end(job_block& job) noexcept
        requires is_leaf<A>
    {
        auto outcome = this->end_inner(job);
        if (outcome) {
            if constexpr (std::is_void_v<inner_type>)
                return true;
            else
                return value_type{*std::move(outcome)};
        }
        if (is_cancelled(outcome.error()) && this->mine(job)) return value_type{};
        return outcome.error();
    }
    value_type resume(job_block& job) {
        if constexpr (is_leaf<A>) {
            auto outcome = end(job);
            if (!outcome) [[unlikely]]
                raise(outcome.error());
            return *std::move(outcome);
        } else {
            try {
                const end_of_scope guard{scope_};
                if constexpr (std::is_void_v<inner_type>) {
                    inner_.resume(job);
                    return true;
                } else {
                    return value_type{inner_.resume(job)};
                }
            } catch (const cancelled&) {
                if (!this->mine(job)) throw;
            }
            return value_type{};
        }
    }
    [[noreturn]] void raise(const std::error_code& code) const
        requires is_leaf<A>
    {
        inner_.raise(code);
    }
};

}  // namespace detail

/// Runs an operation or task under a time limit, in the same job. When the limit ends first, what runs inside is
/// cancelled, and once it is over `timeout_error` is thrown here: never at an inner or outer limit. A limit that ran out while
/// the loop was held up for more than half a second (by Ctrl-Z, by a job that did not await) gets another half second, so
/// that what has come meanwhile counts.
///
/// Result:    the wrapped awaitable's; a result that wins the race against the limit is delivered.
/// Errors:    timeout_error, "recv 10.0.0.1:80: time limit of 20 ms exceeded (set at main.cpp:12)" (`as_result` gives
///            a code equal to std::errc::timed_out), else as the wrapped awaitable.
/// Lifetime:  holds the awaitable by value. Allocates nothing but room in the loop's timer heap.
template <class A>
    requires detail::is_awaitable<A>
auto with_timeout(std::chrono::nanoseconds limit, A awaitable,
                  std::source_location where = std::source_location::current()) noexcept {
    return detail::timeout_adapter<A>{detail::time_limit{limit}, std::move(awaitable), where};
}

/// As `with_timeout`, until a point in time.
template <class A>
    requires detail::is_awaitable<A>
auto with_deadline(deadline when, A awaitable, std::source_location where = std::source_location::current()) noexcept {
    return detail::timeout_adapter<A>{detail::time_limit{when}, std::move(awaitable), where};
}

/// As `with_timeout`, where running out of time is no error: what runs inside is cancelled, and once it is over, this goes on.
///
/// Result:    std::optional of the wrapped awaitable's result, nullopt when the limit ended first; for one without a
///            result, whether it ended in time.
/// Errors:    as the wrapped awaitable, its own timeout_error among them.
template <class A>
    requires detail::is_awaitable<A>
auto move_on_after(std::chrono::nanoseconds limit, A awaitable) noexcept {
    return detail::move_on_adapter<A>{detail::time_limit{limit}, std::move(awaitable)};
}

/// As `move_on_after`, at a point in time.
template <class A>
    requires detail::is_awaitable<A>
auto move_on_at(deadline when, A awaitable) noexcept {
    return detail::move_on_adapter<A>{detail::time_limit{when}, std::move(awaitable)};
}

}  // namespace ringlet
