// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/job_group.hpp>
#include <ringlet/core/detail/join.hpp>
#include <ringlet/core/detail/stored_argument.hpp>
#include <ringlet/core/task.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace ringlet {

template <class T>
class job;

namespace detail {

/// What the handles of all job types share: one pointer.
class job_handle {
public:
    job_handle(job_handle&& other) noexcept : block_{std::exchange(other.block_, nullptr)} {}
    job_handle& operator=(job_handle&& other) noexcept {
        if (this != &other) {
            drop();
            block_ = std::exchange(other.block_, nullptr);
        }
        return *this;
    }
    ~job_handle() { drop(); }

    /// Whether it is a handle still: not after it was moved from.
    bool owns() const noexcept { return block_ != nullptr; }
    job_block& block() const noexcept {
        require(block_ != nullptr, "this job handle was moved from: use the one that it was moved to");
        return *block_;
    }

protected:
    explicit job_handle(job_block* block) noexcept : block_{block} {}

private:
    void drop() noexcept {
        if (!block_) return;
        if (block_->has(job_block::done)) {
            if (block_->failure) [[unlikely]]
                report_unjoined(*block_);
            block_->type->destroy(block_);
        } else {
            block_->set(job_block::handle_dropped);
        }
    }
    static void report_unjoined(job_block& block) noexcept;

    job_block* block_;
};

/// A job's block with room for its result.
template <class T>
struct job_state : job_block {
    using job_block::job_block;
    std::optional<T> value;
    void keep(promise<T>& root) noexcept {
        root.swap_failure(failure);
        if (failure) return;
        try {
            value.emplace(root.value());
        } catch (...) {
            failure = std::current_exception();
        }
    }
};
template <>
struct job_state<void> : job_block {
    using job_block::job_block;
    void keep(promise<void>& root) noexcept { root.swap_failure(failure); }
};

template <class T>
void finish_root(job_block& block, std::coroutine_handle<> root) noexcept {
    if (!root) return;
    const auto frame = std::coroutine_handle<promise<T>>::from_address(root.address());
    static_cast<job_state<T>&>(block).keep(frame.promise());
    if (block.failure) this_thread_scheduler->discarding = true;
    frame.destroy();
}

/// A block and what the job's coroutine may refer to: the function and its arguments, destroyed when the job ends.
template <class T, class Call>
struct job_storage : job_state<T> {
    static constexpr job_type type{[](job_block& block, std::coroutine_handle<> root) noexcept {
                                       finish_root<T>(block, root);
                                       static_cast<job_storage&>(block).call.reset();
                                   },
                                   [](job_block* block) noexcept {
                                       auto* self = static_cast<job_storage*>(block);
                                       std::destroy_at(self);
                                       frame_pool::release(self, sizeof(job_storage));
                                   }};
    job_storage() noexcept : job_state<T>{&type} {}
    std::optional<Call> call;
};

template <class T>
struct job_storage<T, void> : job_state<T> {
    static constexpr job_type type{finish_root<T>, [](job_block* block) noexcept {
                                       auto* self = static_cast<job_storage*>(block);
                                       std::destroy_at(self);
                                       frame_pool::release(self, sizeof(job_storage));
                                   }};
    job_storage() noexcept : job_state<T>{&type} {}
};

template <class Storage>
struct block_deleter {
    void operator()(Storage* storage) const noexcept { Storage::type.destroy(storage); }
};

template <class Storage>
auto make_block() {
    static_assert(alignof(Storage) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__, "an over-aligned argument: pass a unique_ptr");
    void* memory = frame_pool::allocate(sizeof(Storage));
    return std::unique_ptr<Storage, block_deleter<Storage>>{::new (memory) Storage{}};
}

/// Destroys a job that was never started, its frame first.
void discard_unstarted(job_block& block) noexcept;

/// A job that is made and not started yet. One pointer.
template <class T>
class unstarted_job {
public:
    unstarted_job(job_state<T>& block, task<T> body) noexcept : block_{&block} {
        const auto frame = body.release();
        frame.promise().continuation = scheduler::end_of_job();
        block.resume_point = frame;
    }
    unstarted_job(unstarted_job&& other) noexcept : block_{std::exchange(other.block_, nullptr)} {}
    unstarted_job& operator=(unstarted_job&&) = delete;
    ~unstarted_job() {
        if (block_) discard_unstarted(*block_);
    }

    job_block& block() const noexcept { return *block_; }
    /// Makes it a job of `group`. Whoever does so sees to it that it becomes ready.
    job<T> add_to(job_group& group) && noexcept {
        group.add(*block_);
        return job<T>{*std::exchange(block_, nullptr)};
    }
    job<T> start_in(job_group& group) && noexcept {
        job_block& block = *block_;
        job<T> handle = std::move(*this).add_to(group);
        group.owner().make_ready(block);
        return handle;
    }

private:
    job_state<T>* block_;
};

template <class T>
job<T> start_job(job_group& group, job_state<T>& block, task<T> body) noexcept {
    return unstarted_job<T>{block, std::move(body)}.start_in(group);
}

template <class T>
struct is_task : std::false_type {};
template <class T>
struct is_task<task<T>> : std::true_type {};

/// Calls a function with the arguments kept for it.
template <class Call, std::size_t... I>
auto invoke_kept(typename Call::type& kept, std::index_sequence<I...>) {
    return std::invoke(std::get<0>(kept),
                       static_cast<std::tuple_element_t<I, typename Call::passed>>(std::get<I + 1>(kept))...);
}

template <class F, class... Args>
auto make_job(F&& function, Args&&... args) {
    using function_type = std::decay_t<F>;
    if constexpr (frame_keeps_all<function_type, Args...>) {
        using task_type = std::invoke_result_t<function_type, std::decay_t<Args>...>;
        static_assert(is_task<task_type>::value, "spawn takes a coroutine function that returns a ringlet::task");
        using T = typename task_type::value_type;
        auto block = make_block<job_storage<T, void>>();
        task_type body = function(std::forward<Args>(args)...);
        return unstarted_job<T>{*block.release(), std::move(body)};
    } else {
        using call = kept_call<F, Args...>;
        constexpr std::index_sequence_for<Args...> all;
        using task_type = decltype(invoke_kept<call>(std::declval<typename call::type&>(), all));
        static_assert(is_task<task_type>::value, "spawn takes a coroutine function that returns a ringlet::task");
        using T = typename task_type::value_type;
        auto block = make_block<job_storage<T, typename call::type>>();
        block->call.emplace(std::forward<F>(function), std::forward<Args>(args)...);
        task_type body = invoke_kept<call>(*block->call, all);
        return unstarted_job<T>{*block.release(), std::move(body)};
    }
}

template <class F, class... Args>
auto spawn_in(job_group& group, F&& function, Args&&... args) {
    return make_job(std::forward<F>(function), std::forward<Args>(args)...).start_in(group);
}

template <class T>
unstarted_job<T> make_job_of(task<T> body) {
    auto block = make_block<job_storage<T, void>>();
    return unstarted_job<T>{*block.release(), std::move(body)};
}

template <class T>
job<T> spawn_task_in(job_group& group, task<T> body) {
    return make_job_of(std::move(body)).start_in(group);
}

/// Waits for one job and takes its value.
template <class T>
class [[nodiscard("nothing happens until this is awaited")]] get_wait final : public leaf<get_wait<T>, void>,
                                                                              private join_wait {
public:
    explicit get_wait(job_handle& target) noexcept : join_wait{&target, 1, 1} {}
    using value_type = T;
    static constexpr std::string_view name = "get";
    bool start(job_block& job) noexcept { return join_wait::start(job); }
    result<void> outcome(job_block&) noexcept {
        ended();
        return {};
    }
    T resume(job_block& job);
    result<T> end(job_block&) noexcept = delete;
};

class [[nodiscard("nothing happens until this is awaited")]] join_one final : public leaf<join_one, void>,
                                                                              private join_wait {
public:
    explicit join_one(job_handle& target) noexcept : join_wait{&target, 1, 1} {}
    static constexpr std::string_view name = "join";
    bool start(job_block& job) noexcept { return join_wait::start(job); }
    result<void> outcome(job_block&) noexcept {
        ended();
        return {};
    }
};

}  // namespace detail

/// Handle to a started task (gevent's Greenlet). Move-only; one pointer.
///
/// A failure of the job waits in it until `get` or `joinall` throws it or `join` has seen it; when the handle is
/// dropped unjoined, the failure fails the loop's root group, and with it `run`, which throws the first such failure;
/// further ones are printed on stderr. Thread: the loop's thread only.
template <class T = void>
class job : public detail::job_handle {
public:
    /// Waits until the job has ended, well or badly. Raises only the waiter's own cancellation, which ends the wait and
    /// not the job. One waiter at a time. A failure of the job counts as seen from then on and is reported nowhere: who
    /// wants to know of it uses `get`.
    auto join() & noexcept { return detail::join_one{*this}; }

    /// Waits until the job has ended; gives its value or throws its failure. Once.
    auto get() & noexcept { return detail::get_wait<T>{*this}; }

    /// Asks the job to end: every await it does from now on raises `cancelled`. It is over only when joined.
    void cancel() noexcept { detail::request_cancel(block()); }

    /// Whether the job has ended, well or badly.
    bool ready() const noexcept { return block().has(detail::job_block::done); }
    /// Whether it has ended well: neither failed nor cancelled.
    bool successful() const noexcept { return ready() && !block().failure; }
    /// What it failed with, `cancelled` when it was cancelled; null when it ended well or has not ended. A failure that
    /// was looked at counts as seen, as by `join`.
    std::exception_ptr exception() const noexcept {
        if (!ready()) return nullptr;
        block().seen();
        return block().failure;
    }

    std::string_view name() const noexcept { return block().name_or_none(); }
    void set_name(std::string name) { block().set_name(std::move(name)); }

private:
    friend detail::unstarted_job<T>;
    explicit job(detail::job_block& block) noexcept : job_handle{&block} {}
};

template <class T>
T detail::get_wait<T>::resume(job_block& self) {
    leaf<get_wait, void>::resume(self);
    job_block& job = jobs()->block();
    require(!job.has(job_block::value_taken), "the value of a job was taken twice: get() moves it out");
    if (job.failure) std::rethrow_exception(job.failure);
    job.set(job_block::value_taken);
    if constexpr (!std::is_void_v<T>) return *std::move(static_cast<job_state<T>&>(job).value);
}

/// Starts `function(args...)`, a coroutine function, as a job of the loop's root group. Function and arguments are
/// moved into the job and live as long as it runs, so parameters may be references; std::ref passes a real reference.
///
/// Result:    the job's handle. Dropping it lets the job run on; see `job` for where its failure goes.
/// Errors:    std::bad_alloc.
/// Thread:    the loop's thread, while the loop runs.
template <class F, class... Args>
    requires(!detail::is_task<std::remove_cvref_t<F>>::value)
auto spawn(F&& function, Args&&... args) {
    return detail::spawn_in(detail::current_scheduler().root(), std::forward<F>(function), std::forward<Args>(args)...);
}

/// Starts a task that exists already.
template <class T>
job<T> spawn(task<T> body) {
    return detail::spawn_task_in(detail::current_scheduler().root(), std::move(body));
}

}  // namespace ringlet
