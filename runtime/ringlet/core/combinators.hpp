// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/job.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace ringlet {
namespace detail {

template <class T>
using or_monostate = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class A>
task<typename A::value_type> run_as_task(A awaitable) {
    co_return co_await std::move(awaitable);
}
template <class T>
task<T> to_task(task<T>&& body) noexcept {
    return std::move(body);
}
template <class A>
task<typename A::value_type> to_task(A&& awaitable) {
    return run_as_task<A>(std::move(awaitable));
}

template <class T>
job_state<T>& state_of(job<T>& child) noexcept {
    return static_cast<job_state<T>&>(child.block());
}
template <class T>
or_monostate<T> take_value(job<T>& child) {
    if constexpr (std::is_void_v<T>)
        return {};
    else
        return *std::move(state_of(child).value);
}

template <class... A>
using when_all_result = std::conditional_t<(std::is_void_v<typename A::value_type> && ...), void,
                                           std::tuple<or_monostate<typename A::value_type>...>>;
template <class... A>
using first_of_result = std::conditional_t<(std::is_void_v<typename A::value_type> && ...), std::size_t,
                                           std::variant<or_monostate<typename A::value_type>...>>;

/// The children of one when_all or first_of, started together.
template <class... T>
class children {
public:
    explicit children(job_group::policy how) noexcept : group_{current_scheduler(), how} {}

    template <class... A>
    void start(A&... awaitables) noexcept {
        try {
            start_each(std::index_sequence_for<T...>{}, awaitables...);
        } catch (...) {
            group_.fail(std::current_exception());
            (give_up(awaitables), ...);
        }
    }
    auto end() noexcept { return group_end{group_}; }
    void rethrow_failure() {
        if (const auto failure = group_.take_failure()) std::rethrow_exception(failure);
    }
    template <std::size_t I>
    auto& child() noexcept {
        return *std::get<I>(jobs_);
    }
    template <std::size_t I>
    bool was_first() noexcept {
        return group_.first_ended() == &child<I>().block();
    }
    template <std::size_t I>
    bool was_cancelled() noexcept {
        return child<I>().block().failure != nullptr;
    }

private:
    template <std::size_t... I, class... A>
    void start_each(std::index_sequence<I...>, A&... awaitables) {
        (std::get<I>(jobs_).emplace(spawn_task_in(group_, to_task(std::move(awaitables)))), ...);
    }

    job_group group_;
    std::tuple<std::optional<job<T>>...> jobs_;
};

template <std::size_t... I, class... T>
auto all_values(std::index_sequence<I...>, children<T...>& all) {
    if ((all.template was_cancelled<I>() || ...)) throw cancelled{};
    if constexpr (!(std::is_void_v<T> && ...))
        return std::tuple<or_monostate<T>...>{take_value(all.template child<I>())...};
}

template <std::size_t I, class... T>
auto first_value(children<T...>& all) {
    using variant = std::variant<or_monostate<T>...>;
    if constexpr (I == sizeof...(T)) {
        throw cancelled{};
        return variant{std::in_place_index<0>, take_value(all.template child<0>())};
    } else {
        if (!all.template was_first<I>()) return first_value<I + 1>(all);
        if (all.template was_cancelled<I>()) throw cancelled{};
        return variant{std::in_place_index<I>, take_value(all.template child<I>())};
    }
}

}  // namespace detail

/// Runs tasks and operations side by side, each in a child job, and waits for all.
///
/// Result:    a std::tuple of the values in the order of the arguments (std::monostate for void); nothing when all are
///            void. A vector of tasks gives a vector.
/// Errors:    the first failure, which cancels the others, once all have ended (further ones are dropped); `cancelled`
///            when cancelled.
/// Lifetime:  does not end before every child has ended, so children may borrow the parent's locals.
template <class... A>
    requires(detail::is_awaitable<A> && ...) && (sizeof...(A) > 0)
task<detail::when_all_result<A...>> when_all(A... awaitables) {
    detail::children<typename A::value_type...> all{detail::job_group::policy::first_cancels};
    all.start(awaitables...);
    co_await all.end();
    all.rethrow_failure();
    co_return detail::all_values(std::index_sequence_for<A...>{}, all);
}

template <class T>
task<std::conditional_t<std::is_void_v<T>, void, std::vector<detail::or_monostate<T>>>> when_all(
    std::vector<task<T>> tasks) {
    detail::job_group group{detail::current_scheduler(), detail::job_group::policy::first_cancels};
    std::vector<job<T>> jobs;
    try {
        jobs.reserve(tasks.size());
        for (auto& body : tasks) jobs.push_back(detail::spawn_task_in(group, std::move(body)));
    } catch (...) {
        group.fail(std::current_exception());
        for (auto& body : tasks) detail::give_up(body);
    }
    co_await detail::group_end{group};
    if (const auto failure = group.take_failure()) std::rethrow_exception(failure);
    for (auto& child : jobs)
        if (child.block().failure) throw cancelled{};
    if constexpr (!std::is_void_v<T>) {
        std::vector<T> values;
        values.reserve(jobs.size());
        for (auto& child : jobs) values.push_back(detail::take_value(child));
        co_return values;
    }
}

/// Runs tasks and operations side by side until the first ends; cancels the others and waits for them.
///
/// For waits whose losers may be dropped. A loser may end with a value all the same, when that was faster than the
/// cancellation, and that value goes: the bytes of a recv, a datagram, a line would be lost. So never race one of those;
/// `with_timeout` and `net::drain::unless_begun` lose nothing, and a task that deals with what it has received itself may
/// be raced.
///
/// Result:    when all are void the index of the first to end, else a std::variant whose index() tells it.
/// Errors:    the first failure of a child, once all have ended (a loser's too); `cancelled`.
/// Lifetime:  as when_all.
template <class... A>
    requires(detail::is_awaitable<A> && ...) && (sizeof...(A) > 0)
task<detail::first_of_result<A...>> first_of(A... awaitables) {
    detail::children<typename A::value_type...> all{detail::job_group::policy::first_end_cancels};
    all.start(awaitables...);
    co_await all.end();
    all.rethrow_failure();
    if constexpr ((std::is_void_v<typename A::value_type> && ...))
        co_return detail::first_value<0>(all).index();
    else
        co_return detail::first_value<0>(all);
}

}  // namespace ringlet
