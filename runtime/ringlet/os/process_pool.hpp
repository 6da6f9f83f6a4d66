// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/combinators.hpp>
#include <ringlet/core/detail/stored_argument.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/os/detail/wire.hpp>
#include <ringlet/os/process.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace ringlet {
namespace os {

/// A function of a process_pool has thrown; what it said.
class remote_error : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

/// A worker has ended in the middle of a call: it was killed, it crashed, or it called exit. Or ten have, one after the
/// other, before they began one.
class worker_lost : public std::runtime_error {
public:
    worker_lost(const std::string& what, int exit_code) : runtime_error{what}, exit_code_{exit_code} {}
    /// As child::exit_code.
    int exit_code() const noexcept { return exit_code_; }

private:
    int exit_code_;
};

namespace detail {

using pool_function = task<std::string> (*)(std::string arguments);

/// Before main, so that every worker has the same list, wherever its pool is made. Gives the place in it.
std::uint32_t register_pool_function(pool_function function);

template <auto F>
struct pool_entry {
    template <class Parameters>
    struct of;
    template <class... P>
    struct of<std::tuple<P...>*> {
        using arguments = std::tuple<std::remove_cvref_t<P>...>;
        using result = std::invoke_result_t<decltype(F), P...>;
    };
    using parameters = typename ringlet::detail::parameters<std::decay_t<decltype(F)>>::type;
    static_assert(!std::is_void_v<parameters>, "a pool takes functions and lambdas whose parameters are plain to see");
    using arguments = typename of<parameters>::arguments;
    using result = typename of<parameters>::result;
    static constexpr bool awaits = ringlet::detail::is_task<result>::value;
    using value_type = typename value_of<result>::type;

    // In the worker.
    static task<std::string> call(std::string bytes) {
        arguments kept = from_wire(bytes, std::type_identity<arguments>{});
        std::string reply;
        if constexpr (awaits && std::is_void_v<value_type>) {
            co_await start(kept);
        } else if constexpr (awaits) {
            const value_type given = co_await start(kept);
            wire<value_type>::write(reply, given);
        } else if constexpr (std::is_void_v<value_type>) {
            start(kept);
        } else {
            wire<value_type>::write(reply, start(kept));
        }
        co_return reply;
    }
    static result start(arguments& kept) { return start(kept, parameters{}); }
    template <class... P>
    static result start(arguments& kept, std::tuple<P...>*) {
        return std::apply(
            [](auto&... each) -> result {
                return std::invoke(F,
                                   static_cast<ringlet::detail::passed_argument<P, std::remove_cvref_t<P>>>(each)...);
            },
            kept);
    }

    static inline const std::uint32_t number = register_pool_function(&call);
};

struct pool_state;

/// Counts a call for `join`, from when it is asked for to its end.
class pool_ticket {
public:
    /// Throws std::logic_error when the pool is closed.
    explicit pool_ticket(std::shared_ptr<pool_state> pool);
    pool_ticket(pool_ticket&&) noexcept = default;
    pool_ticket& operator=(pool_ticket&&) = delete;
    ~pool_ticket();
    pool_state& pool() const noexcept { return *pool_; }

private:
    std::shared_ptr<pool_state> pool_;
};

task<std::string> call_in_pool(pool_state& pool, std::uint32_t function, std::string arguments);

template <class R>
task<R> pool_call(pool_ticket ticket, std::uint32_t function, std::string arguments) {
    const std::string reply = co_await call_in_pool(ticket.pool(), function, std::move(arguments));
    if constexpr (!std::is_void_v<R>) {
        std::string_view bytes = reply;
        co_return wire<R>::read(bytes);
    }
}

}  // namespace detail

/// Worker processes that make calls, for work that would hold up the loop. As multiprocessing.Pool.
///
///     int count_primes(int below);
///     os::process_pool pool{4};
///     auto first = pool.apply_async<count_primes>(1'000'000);
///     const std::vector<int> limits{10, 100, 1000};
///     const std::vector<int> more = co_await pool.map<count_primes>(limits);
///     const int primes = co_await first.get();
///     pool.close();
///     co_await pool.join();
///
/// A function is named as a template argument, so that it is known before any worker is forked: a function, or a lambda without
/// captures; coroutine functions run on the worker's loop. Arguments and results are trivially copyable types, std::string,
/// and std::vector of such. A worker has the memory that the parent had when it was started, and makes one call at a time.
///
/// The workers start at once. One that ends in the middle of a call fails that call, and one that ends before it has read
/// the whole request fails none; another takes its place when it is needed. They ignore SIGINT, which is the parent's.
/// Thread: the loop's thread only.
class process_pool {
public:
    /// Starts `workers`, one or more. Errors: those of process::start; then none is left.
    explicit process_pool(std::size_t workers);
    process_pool(process_pool&&) noexcept = default;
    process_pool& operator=(process_pool&&) = delete;
    /// As `terminate`.
    ~process_pool();

    /// Asks for `F(args...)` in some worker, the one that is idle longest; calls wait for one in the order of asking.
    ///
    /// Result:    a job: `get` gives the value.
    /// Errors:    of the job: remote_error, what the function threw; worker_lost; std::system_error when no new worker can be
    ///            started. Here: std::logic_error when the pool is closed.
    /// A call that is cancelled before a worker has it never runs; afterwards its worker is killed, and replaced.
    template <auto F, class... Args>
    auto apply_async(Args&&... args) {
        return spawn(start_call<F>(std::forward<Args>(args)...));
    }

    /// Calls F for each item, as many at a time as there are workers.
    ///
    /// Result:    a task of the results in the order of the items: a vector; nothing for void.
    /// Errors:    the first failure, which cancels the other calls; `cancelled`, which does, too. See apply_async.
    /// Lifetime:  the items are copied now.
    template <auto F, std::ranges::input_range Items>
    auto map(Items&& items) {
        std::vector<task<typename detail::pool_entry<F>::value_type>> calls;
        for (auto&& item : items) calls.push_back(start_call<F>(item));
        return when_all(std::move(calls));
    }

    /// No more calls: those that were asked for are made.
    void close() noexcept;
    /// Waits until every call has ended, and the workers, too. Errors: std::logic_error when the pool is not closed;
    /// `cancelled`.
    task<> join();
    /// Kills the workers and reaps them, now. Calls that have not ended are cancelled.
    void terminate() noexcept;

    std::size_t size() const noexcept;
    /// The numbers of the workers that run.
    std::vector<pid_t> pids() const;

private:
    template <auto F, class... Args>
    auto start_call(Args&&... args) {
        using entry = detail::pool_entry<F>;
        typename entry::arguments kept{std::forward<Args>(args)...};
        return detail::pool_call<typename entry::value_type>(detail::pool_ticket{state_}, entry::number,
                                                             detail::to_wire(kept));
    }

    std::shared_ptr<detail::pool_state> state_;
};

}  // namespace os

using os::process_pool;

}  // namespace ringlet
