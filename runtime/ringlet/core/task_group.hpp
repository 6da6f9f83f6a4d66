// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/job.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <tuple>
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

/// Runs a group in a coroutine that keeps the function and what its parameters refer to.
template <class Kept, class Passed>
struct group_run;
template <class F, class... Kept, class... Passed>
struct group_run<std::tuple<F, task_group&, Kept...>, std::tuple<task_group&, Passed...>> {
    static_assert(
        std::is_invocable_v<F&, task_group&, Passed...>,
        "with_task_group calls function(group, args...), group being a task_group&: the function does not take "
        "these arguments");
    using task_type = std::invoke_result_t<F&, task_group&, Passed...>;
    static_assert(is_task<task_type>::value, "with_task_group takes a coroutine function that returns a ringlet::task");
    using T = typename task_type::value_type;

    static task<T> start(F function, Kept... kept) {
        group_access access;
        job_group& group = *access;
        [[maybe_unused]] std::conditional_t<std::is_void_v<T>, char, std::optional<T>> value{};
        std::exception_ptr cancellation;
        try {
            group_body<T> body{std::invoke(function, access.group, static_cast<Passed>(kept)...), group};
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
        co_await group_end{group};
        if (const auto failure = group.take_failure()) std::rethrow_exception(failure);
        if (cancellation) std::rethrow_exception(cancellation);
        if (group.waiter_cancelled) throw cancelled{};
        if constexpr (!std::is_void_v<T>) co_return *std::move(value);
    }
};

}  // namespace detail

/// Runs `function(group, args...)`, then waits until every job of the group has ended.
///
/// Result:    the value of `function`.
/// Errors:    the first failure among the function and the jobs, once all have ended (further ones are dropped);
///            `cancelled` when cancelled.
/// Lifetime:  function and arguments are kept as by `spawn`, until the group has ended, so parameters may be references.
///            Jobs of the group may borrow what outlives the await of this task.
template <class F, class... Args>
auto with_task_group(F&& function, Args&&... args) {
    using call = detail::kept_call<F, std::reference_wrapper<task_group>, Args...>;
    // The arguments are converted here: what a coroutine makes of its own parameters is gone before it is awaited.
    return detail::group_run<typename call::type, typename call::passed>::start(std::forward<F>(function),
                                                                                std::forward<Args>(args)...);
}

}  // namespace ringlet
