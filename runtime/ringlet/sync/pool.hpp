// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/async_generator.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/detail/ended_jobs.hpp>
#include <ringlet/core/detail/job_group.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/sync/detail/wait_list.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <ranges>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace ringlet {

class pool;

namespace detail {

/// The jobs of a pool, and who waits for room: jobs of it that have not started, and jobs that want to start one.
class pool_core : public job_group {
public:
    explicit pool_core(std::size_t capacity) noexcept;
    ~pool_core();

    bool take_room() noexcept {
        if (in_use_ == capacity_) return false;
        ++in_use_;
        return true;
    }
    void wait_for_room(job_block& job, const wait_kind& kind) noexcept { room_.add(job, kind, this); }
    /// Starts a job that has room.
    template <class T>
    job<T> start(unstarted_job<T> made) noexcept {
        made.block().set(job_block::holds_room);
        return std::move(made).start_in(*this);
    }
    /// Starts a job as soon as there is room.
    template <class T>
    job<T> submit(unstarted_job<T> made) noexcept {
        job_block& block = made.block();
        if (take_room()) return start(std::move(made));
        job<T> handle = std::move(made).add_to(*this);
        queue_up(block);
        return handle;
    }
    void require_open() const;
    void require_closed() const;
    void close() noexcept { closed_ = true; }

    std::size_t capacity() const noexcept { return capacity_; }
    std::size_t free_count() const noexcept { return capacity_ - in_use_; }

private:
    friend class pool_join;
    // A job that was given room and has not started one yet counts.
    bool idle() const noexcept { return empty() && in_use_ == 0; }
    static void job_ended(job_group& group, job_block& job) noexcept;
    void queue_up(job_block& job) noexcept;
    void give_room_back() noexcept;

    wait_list room_;
    wait_list joiners_;
    std::size_t capacity_;
    std::size_t in_use_ = 0;  // nobody waits for room while it is less than the capacity
    bool closed_ = false;
};

class [[nodiscard("nothing happens until this is awaited")]] pool_join final : public leaf<pool_join, void> {
public:
    explicit pool_join(pool_core& of) noexcept : of_{&of} {}
    static constexpr std::string_view name = "the end of a pool's jobs";
    bool start(job_block& job) noexcept;
    result<void> outcome(job_block&) const noexcept { return {}; }

private:
    pool_core* of_;
};

/// Waits for room and starts a job that is made already.
template <class T>
class [[nodiscard("nothing is spawned until this is awaited")]] pool_spawn final : public leaf<pool_spawn<T>, job<T>> {
public:
    pool_spawn(pool_core& in, unstarted_job<T> made) noexcept : in_{&in}, made_{std::move(made)} {}
    static constexpr std::string_view name = "room in a pool";
    bool start(job_block& job) {
        if (in_->take_room()) return suspend_once(job);
        in_->wait_for_room(job, waiting);
        return true;
    }
    result<job<T>> outcome(job_block&) noexcept { return in_->start(std::move(made_)); }

private:
    static constexpr wait_kind waiting{.name = name, .cancel = &wait_list::cancel, .describe = nullptr};
    pool_core* in_;
    unstarted_job<T> made_;
};

template <class F, class Range>
using mapped_task = std::invoke_result_t<std::decay_t<F>&, std::ranges::range_value_t<Range>>;
template <class F, class Range>
using mapped = typename mapped_task<F, Range>::value_type;
template <class F, class Range>
inline constexpr bool maps = requires { requires is_task<mapped_task<F, Range>>::value; };

/// The jobs of one map or imap_unordered: as many at a time as the pool is wide, taken in the order in which they end.
template <class F, class Range>
class pool_batch {
    using T = mapped<F, Range>;
    struct entry {
        job<T> running;
        std::size_t index;
        entry(job<T> handle, std::size_t number) noexcept : running{std::move(handle)}, index{number} {}
    };

public:
    pool_batch(pool_core& in, F& function, Range& items)
        : in_{&in}, function_{&function}, at_{std::ranges::begin(items)}, end_{std::ranges::end(items)} {}
    pool_batch(const pool_batch&) = delete;
    pool_batch& operator=(const pool_batch&) = delete;
    ~pool_batch() {
        ended_.clear();
        for (entry& each : jobs_) {
            ended_.forget(each.running.block());
            each.running.block().set(job_block::joined);
            each.running.cancel();
        }
    }

    void fill() {
        for (; jobs_.size() < in_->capacity() && at_ != end_; ++at_, ++next_index_) {
            in_->require_open();
            if (jobs_.size() == jobs_.capacity()) jobs_.reserve(2 * jobs_.size() + 1);  // a job that runs has its place
            jobs_.emplace_back(in_->submit(make_job(*function_, std::ranges::range_value_t<Range>(*at_))), next_index_);
            ended_.watch(jobs_.back().running.block());
        }
    }
    bool empty() const noexcept { return jobs_.empty(); }
    auto next() noexcept { return ended_.next(); }
    /// The one that has ended first.
    entry take() noexcept {
        const job_block* const block = ended_.take();
        const auto found =
            std::ranges::find_if(jobs_, [block](const entry& each) { return &each.running.block() == block; });
        entry first = std::move(*found);
        *found = std::move(jobs_.back());
        jobs_.pop_back();
        first.running.block().seen();
        return first;
    }
    static or_monostate<T> value(entry& ended) {
        if (const auto& failure = ended.running.block().failure) std::rethrow_exception(failure);
        return take_value(ended.running);
    }
    /// Cancels what runs and waits for it, whatever happens meanwhile.
    task<> stop() {
        for (entry& each : jobs_) each.running.cancel();
        while (!empty()) {
            co_await shield(next());
            static_cast<void>(take());
        }
    }

private:
    pool_core* in_;
    F* function_;
    std::ranges::iterator_t<Range> at_;
    std::ranges::sentinel_t<Range> end_;
    std::size_t next_index_ = 0;
    ended_jobs ended_;
    std::vector<entry> jobs_;
};

template <class F, class Range>
task<std::conditional_t<std::is_void_v<mapped<F, Range>>, void, std::vector<or_monostate<mapped<F, Range>>>>> pool_map(
    pool_core* in, F function, Range items) {
    using T = mapped<F, Range>;
    in->require_open();
    std::vector<std::optional<or_monostate<T>>> values;
    pool_batch<F, Range> batch{*in, function, items};
    std::exception_ptr failure;
    try {
        for (batch.fill(); !batch.empty(); batch.fill()) {
            co_await batch.next();
            auto ended = batch.take();
            if (values.size() <= ended.index) values.resize(ended.index + 1);
            values[ended.index].emplace(batch.value(ended));
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await batch.stop();
        std::rethrow_exception(failure);
    }
    if constexpr (!std::is_void_v<T>) {
        std::vector<T> all;
        all.reserve(values.size());
        for (auto& value : values) all.push_back(*std::move(value));
        co_return all;
    }
}

template <class F, class Range>
async_generator<or_monostate<mapped<F, Range>>> pool_imap(pool_core* in, F function, Range items) {
    in->require_open();
    pool_batch<F, Range> batch{*in, function, items};
    std::exception_ptr failure;
    try {
        for (batch.fill(); !batch.empty(); batch.fill()) {
            co_await batch.next();
            auto ended = batch.take();
            auto value = batch.value(ended);
            batch.fill();  // the others work on while this one is dealt with
            co_yield std::move(value);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await batch.stop();
        std::rethrow_exception(failure);
    }
}

}  // namespace detail

/// Runs at most so many jobs at a time. As gevent's Pool. Whoever comes first, by whichever function, is served first.
///
/// A pool owns its jobs and must not go before them: that is a programmer error, and `with_pool` cannot make it. `map`,
/// `close` of an `imap_unordered`, and `join` wait for them, too. What a job of the pool starts in the same pool may wait for
/// room for ever, when those that hold it wait for that: a deadlock report shows it.
/// A job's failure waits in its handle; that of one whose handle was dropped fails the loop's root group, as with
/// ringlet::spawn. Thread: the loop's thread, while the loop runs.
class pool {
public:
    /// `capacity`: jobs at a time, one or more.
    explicit pool(std::size_t capacity) noexcept : core_{capacity} {}
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    /// Waits for room and starts `function(args...)`, which are kept as by ringlet::spawn, from now on.
    /// Result:    the job's handle. Errors: `cancelled`, and then it was not started; here and now, std::logic_error when the
    ///            pool is closed, and std::bad_alloc. Who waits when it is closed still gets its turn.
    template <class F, class... Args>
    auto spawn(F&& function, Args&&... args) {
        core_.require_open();
        auto made = detail::make_job(std::forward<F>(function), std::forward<Args>(args)...);
        return detail::pool_spawn{core_, std::move(made)};
    }
    /// Starts it if there is room; else nullopt, and the arguments are still the caller's. Throws as `spawn`.
    template <class F, class... Args>
    auto try_spawn(F&& function, Args&&... args) {
        core_.require_open();
        using handle = decltype(core_.start(detail::make_job(std::forward<F>(function), std::forward<Args>(args)...)));
        if (free_count() == 0) return std::optional<handle>{};
        auto made = detail::make_job(std::forward<F>(function), std::forward<Args>(args)...);
        core_.take_room();
        return std::optional<handle>{core_.start(std::move(made))};
    }
    /// Never waits: the job starts as soon as there is room. However many are handed over, so many wait; `spawn` holds up
    /// who is too fast.
    /// Result: the job's handle. One that is cancelled while it waits for room never runs. Throws as `spawn`.
    template <class F, class... Args>
    auto apply_async(F&& function, Args&&... args) {
        core_.require_open();
        return core_.submit(detail::make_job(std::forward<F>(function), std::forward<Args>(args)...));
    }

    /// Runs `function(item)` for each item, and waits for all. Takes an item from the range when its job is made, as many
    /// ahead as the pool is wide.
    ///
    /// Result:    the values in the order of the items, or nothing when they are void.
    /// Errors:    the first failure, which cancels the others and leaves out those not begun, once all have ended;
    ///            `cancelled`; std::logic_error when the pool is closed before the last item was begun.
    /// Lifetime:  takes function and range by value (a std::vector& or other lvalue range by reference, until the co_await
    ///            ends). Each job has an item of its own.
    template <class F, std::ranges::viewable_range Range>
        requires std::ranges::input_range<Range>
    auto map(F function, Range&& items) {
        static_assert(detail::maps<F, Range>, "map calls function(item), a coroutine function that returns a task");
        return detail::pool_map<F, std::views::all_t<Range>>(&core_, std::move(function),
                                                             std::views::all(std::forward<Range>(items)));
    }

    /// As `map`, but gives each value as soon as there is one: `while (auto value = co_await values.next())`. So many jobs at
    /// most as the pool is wide have ended and wait to be taken, or run; more are begun as values are asked for.
    ///
    /// Result:    an async_generator of the values; of std::monostate when they are void.
    /// Errors:    of `next`, as `map`.
    /// Lifetime:  as `map`, until the generator is at its end. Where it is left before, its jobs are cancelled, and its
    ///            `close` waits for them.
    template <class F, std::ranges::viewable_range Range>
        requires std::ranges::input_range<Range>
    auto imap_unordered(F function, Range&& items) {
        static_assert(detail::maps<F, Range>,
                      "imap_unordered calls function(item), a coroutine function that returns a task");
        return detail::pool_imap<F, std::views::all_t<Range>>(&core_, std::move(function),
                                                              std::views::all(std::forward<Range>(items)));
    }

    /// Nothing more is spawned; what is there, waiting for room or not, goes on.
    void close() noexcept { core_.close(); }
    /// Waits until every job has ended. Throws std::logic_error before `close`, as Python's Pool. Errors: `cancelled`, which
    /// does not cancel the jobs.
    auto join() {
        core_.require_closed();
        return detail::pool_join{core_};
    }
    /// Closes, and asks every job to end. Over only when joined.
    void cancel() noexcept {
        core_.close();
        core_.cancel_all();
    }

    /// Jobs that have not ended, those that wait for room among them.
    std::size_t size() const noexcept { return core_.size(); }
    /// How many more could be started now.
    std::size_t free_count() const noexcept { return core_.free_count(); }
    std::size_t capacity() const noexcept { return core_.capacity(); }

    /// For with_pool.
    detail::pool_core& core() noexcept { return core_; }

private:
    detail::pool_core core_;
};

namespace detail {

template <class Kept, class Passed>
struct pool_run;
template <class F, class... Kept, class... Passed>
struct pool_run<std::tuple<F, pool&, Kept...>, std::tuple<pool&, Passed...>> {
    static_assert(std::is_invocable_v<F&, pool&, Passed...>,
                  "with_pool calls function(pool, args...), pool being a ringlet::pool&: the function does not take "
                  "these arguments");
    using task_type = std::invoke_result_t<F&, pool&, Passed...>;
    static_assert(is_task<task_type>::value, "with_pool takes a coroutine function that returns a ringlet::task");
    using T = typename task_type::value_type;

    static task<T> start(std::size_t capacity, F function, Kept... kept) {
        pool jobs{capacity};
        [[maybe_unused]] std::optional<or_monostate<T>> value;
        std::exception_ptr failure;
        try {
            if constexpr (std::is_void_v<T>)
                co_await std::invoke(function, jobs, static_cast<Passed>(kept)...);
            else
                value.emplace(co_await std::invoke(function, jobs, static_cast<Passed>(kept)...));
        } catch (...) {
            failure = std::current_exception();
            jobs.cancel();
        }
        jobs.close();
        co_await group_end{jobs.core()};
        if (failure) std::rethrow_exception(failure);
        if (jobs.core().waiter_cancelled) throw cancelled{};
        if constexpr (!std::is_void_v<T>) co_return *std::move(value);
    }
};

}  // namespace detail

/// Runs `function(pool, args...)` with a pool of `capacity`, then closes it and waits until every job of it has ended.
///
/// Result:    the value of `function`.
/// Errors:    what leaves the function, which cancels the jobs, once all have ended; `cancelled`, which cancels them as
///            well. A job's own failure is its handle's, see `pool`.
/// Lifetime:  function and arguments are kept as by `spawn`, until the pool has ended, so parameters may be references. Jobs
///            of the pool may borrow what outlives the await of this task.
template <class F, class... Args>
auto with_pool(std::size_t capacity, F&& function, Args&&... args) {
    using call = detail::kept_call<F, std::reference_wrapper<pool>, Args...>;
    return detail::pool_run<typename call::type, typename call::passed>::start(capacity, std::forward<F>(function),
                                                                               std::forward<Args>(args)...);
}

}  // namespace ringlet
