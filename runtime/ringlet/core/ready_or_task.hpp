// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>

#include <coroutine>
#include <type_traits>
#include <utility>
#include <variant>

namespace ringlet {

/// A value that is there already, or the task that gets it: what a function gives that seldom has to wait, and need not
/// be a coroutine then. Awaited as a task is, once.
template <class T = void>
class [[nodiscard("a task does nothing until it is awaited")]] ready_or_task {
public:
    using value_type = T;
    using held_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
    static_assert(std::is_trivially_copyable_v<held_type>);

    ready_or_task(held_type value = {}) noexcept : rest_{nullptr}, value_{value}, ready_{true} {}
    ready_or_task(task<T> rest) noexcept : rest_{std::move(rest)} {}

    /// Nothing is left to be done.
    bool ready() const noexcept { return ready_; }

    bool begin(detail::job_block& job, std::coroutine_handle<> self) { return !ready_ && rest_.begin(job, self); }
    T resume(detail::job_block& job) {
        if (!ready_) return rest_.resume(job);
        return static_cast<T>(value_);
    }

private:
    task<T> rest_;
    held_type value_{};
    bool ready_ = false;
};

}  // namespace ringlet
