// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/job.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace ringlet {

class task_group;

namespace detail {

struct group_access;

/// Awaits the body of a task group under a scope that a failing child cancels.
template <class T>
class [[nodiscard]] group_body {
public:
    using value_type = T;
    group_body(task<T> body, job_group& group) noexcept : body_{std::move(body)}, group_{&group} {}
    group_body(group_body&&) noexcept = default;

    bool begin(job_block& job, std::coroutine_handle<> self) {
        scope_.enter(job);
        group_->watch(scope_);
        if (group_->failed()) scope_.cancel();
        return body_.begin(job, self);
    }
    T resume(job_block& job) {
        group_->unwatch();
        scope_.leave();
        return body_.resume(job);
    }

private:
    task<T> body_;
    job_group* group_;
    cancel_scope scope_;
};

}  // namespace detail

/// A scope that owns jobs and does not end before them; the first failure cancels the rest and the body (Trio's
/// nursery). Made by `with_task_group`. Thread: the loop's thread.
class task_group {
public:
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    /// Starts a job of this group; as ringlet::spawn otherwise. A failure goes to the group at once.
    template <class F, class... Args>
        requires(!detail::is_task<std::remove_cvref_t<F>>::value)
    auto spawn(F&& function, Args&&... args) {
        return detail::spawn_in(group_, std::forward<F>(function), std::forward<Args>(args)...);
    }
    template <class T>
    job<T> spawn(task<T> body) {
        return detail::spawn_task_in(group_, std::move(body));
    }

    /// Asks every job of the group to end.
    void cancel() noexcept { group_.cancel_all(); }

    /// Jobs that have not ended.
    std::size_t size() const noexcept { return group_.size(); }

private:
    friend detail::group_access;
    task_group() noexcept : group_{detail::current_scheduler(), detail::job_group::policy::first_cancels} {}
    detail::job_group group_;
};

namespace detail {
struct group_access {
    task_group group;
    job_group& operator*() noexcept { return group.group_; }
};
}  // namespace detail

/// Runs `function(group, args...)`, then waits until every job of the group has ended.
///
/// Result:    the value of `function`.
/// Errors:    the first failure among the function and the jobs, once all have ended; `cancelled` when cancelled.
/// Lifetime:  jobs of the group may borrow what outlives the await of this task.
template <class F, class... Args>
auto with_task_group(F function, Args... args)
    -> std::invoke_result_t<F&, task_group&, std::unwrap_reference_t<Args>...> {
    using T = typename std::invoke_result_t<F&, task_group&, std::unwrap_reference_t<Args>...>::value_type;
    detail::group_access access;
    detail::job_group& group = *access;
    [[maybe_unused]] std::conditional_t<std::is_void_v<T>, char, std::optional<T>> value{};
    std::exception_ptr cancellation;
    try {
        detail::group_body<T> body{
            std::invoke(function, access.group, static_cast<std::unwrap_reference_t<Args>&&>(args)...), group};
        if constexpr (std::is_void_v<T>)
            co_await std::move(body);
        else
            value.emplace(co_await std::move(body));
    } catch (const cancelled&) {
        cancellation = std::current_exception();
        group.cancel_all();
    } catch (...) {
        group.fail(std::current_exception());
    }
    co_await detail::group_end{group};
    if (const auto failure = group.take_failure()) std::rethrow_exception(failure);
    if (cancellation) std::rethrow_exception(cancellation);
    if (group.waiter_cancelled) throw cancelled{};
    if constexpr (!std::is_void_v<T>) co_return *std::move(value);
}

}  // namespace ringlet
