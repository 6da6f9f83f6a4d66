// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/sync/detail/wait_list.hpp>

#include <concepts>
#include <exception>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ringlet {

template <class T>
class async_result;

namespace detail {

template <class T>
class async_result_wait final : public leaf<async_result_wait<T>, void> {
public:
    using value_type = T;
    explicit async_result_wait(async_result<T>& from) noexcept : from_{&from} {}
    static constexpr std::string_view name = "a result";
    bool start(job_block& job) noexcept {
        if (from_->ready()) return suspend_once(job);
        from_->waiters_.add(job, waiting, from_);
        return true;
    }
    result<void> outcome(job_block&) const noexcept { return {}; }
    T resume(job_block& job) {
        leaf<async_result_wait, void>::resume(job);
        return from_->take();
    }
    result<T> end(job_block&) noexcept = delete;  // a failure is not only an error code

private:
    static constexpr wait_kind waiting{.name = name, .cancel = &wait_list::cancel, .describe = nullptr};
    async_result<T>* from_;
};

}  // namespace detail

/// A value or failure that comes later, set once; any number of jobs may wait for it. As gevent's AsyncResult.
/// Each waiter gets a copy, or, where T cannot be copied, the first gets the value and the others must not ask.
/// Thread: the loop's thread only.
template <class T = void>
class async_result {
    using stored = std::conditional_t<std::is_void_v<T>, char, T>;

public:
    async_result() noexcept = default;
    async_result(const async_result&) = delete;
    async_result& operator=(const async_result&) = delete;

    /// Sets the value and wakes all who wait. Once.
    template <class... Args>
        requires std::constructible_from<stored, Args...>
    void set(Args&&... args) {
        detail::require(!ready(), "an async_result was set twice");
        value_.emplace(std::forward<Args>(args)...);
        waiters_.wake_all();
    }
    /// Sets a failure, which `get` throws. Once.
    void set_exception(std::exception_ptr failure) noexcept {
        detail::require(!ready() && failure != nullptr, "an async_result was set twice, or to no exception");
        failure_ = std::move(failure);
        waiters_.wake_all();
    }

    bool ready() const noexcept { return value_.has_value() || failure_ != nullptr; }
    bool successful() const noexcept { return value_.has_value(); }
    /// Null unless it has failed.
    std::exception_ptr exception() const noexcept { return failure_; }

    /// Waits until it is set.
    /// Result: the value. Errors: the failure; `cancelled`. Lifetime: the async_result outlives the wait.
    auto get() noexcept { return detail::async_result_wait<T>{*this}; }

private:
    friend detail::async_result_wait<T>;
    T take() {
        if (failure_) std::rethrow_exception(failure_);
        if constexpr (std::is_void_v<T>) {
            return;
        } else if constexpr (std::copy_constructible<T>) {
            return *value_;
        } else {
            detail::require(!taken_, "a value that cannot be copied was asked for twice");
            taken_ = true;
            return *std::move(value_);
        }
    }

    detail::wait_list waiters_;
    std::optional<stored> value_;
    std::exception_ptr failure_;
    bool taken_ = false;
};

}  // namespace ringlet
