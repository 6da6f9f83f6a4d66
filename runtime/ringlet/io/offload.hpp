// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/io/mailbox.hpp>
#include <ringlet/io/thread_pool.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace ringlet::io {
namespace detail {

/// Runs a call on a thread of the loop's pool. See `offload`.
template <class F, class... Args>
class [[nodiscard("nothing happens until this is awaited")]] offload_wait final
    : public leaf<offload_wait<F, Args...>, void> {
public:
    using value_type = std::invoke_result_t<F, Args...>;
    static_assert(!std::is_reference_v<value_type>, "an offloaded function returns a value; return a pointer instead");

    offload_wait(F&& function, Args&&... args) : function_{std::move(function)}, args_{std::move(args)...} {}

    static constexpr std::string_view name = "a call on another thread";
    bool start(ringlet::detail::job_block& job) {
        job_ = &job;
        home_ = &loop::current();
        box_ = &home_->mail();
        home_->threads().submit(work_);
        home_->expect_mail();
        job.wait_object = this;
        job.waiting = &kind;
        return true;
    }
    result<void> outcome(ringlet::detail::job_block&) const noexcept { return {}; }
    value_type resume(ringlet::detail::job_block& job) {
        leaf<offload_wait, void>::resume(job);
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
        if constexpr (!std::is_void_v<value_type>) return *std::move(value_);
    }
    result<value_type> end(ringlet::detail::job_block&) noexcept = delete;  // failures are not only error codes

private:
    struct work : work_item {
        explicit work(offload_wait& owner) noexcept : work_item{&run_it}, self{&owner} {}
        static void run_it(work_item& w) noexcept { static_cast<work&>(w).self->call(); }
        offload_wait* self;
    };
    struct reply : letter {
        explicit reply(offload_wait& owner) noexcept : letter{&deliver_it}, self{&owner} {}
        static void deliver_it(letter& l) noexcept {
            offload_wait& call = *static_cast<reply&>(l).self;
            call.home_->mail_arrived();
            call.home_->make_ready(*call.job_);
        }
        offload_wait* self;
    };

    void call() noexcept {
        try {
            if constexpr (std::is_void_v<value_type>)
                std::apply(std::move(function_), std::move(args_));
            else
                value_.emplace(std::apply(std::move(function_), std::move(args_)));
        } catch (...) {
            failure_ = std::current_exception();
        }
        box_->post(reply_);  // the last touch: the loop may resume the job now
    }
    // A call that runs cannot be stopped: the cancellation is raised by the job's next await.
    static void cancel(ringlet::detail::job_block& job) noexcept {
        auto& self = *static_cast<offload_wait*>(job.wait_object);
        if (!self.home_->threads().try_remove(self.work_)) return;
        self.home_->mail_arrived();
        job.res = ringlet::detail::wait_cancelled;
        self.home_->make_ready(job);
    }
    static constexpr ringlet::detail::wait_kind kind{.name = name, .cancel = &cancel, .describe = nullptr};

    F function_;
    std::tuple<Args...> args_;
    std::conditional_t<std::is_void_v<value_type>, char, std::optional<value_type>> value_{};
    std::exception_ptr failure_;
    ringlet::detail::job_block* job_ = nullptr;
    loop* home_ = nullptr;
    mailbox* box_ = nullptr;
    work work_{*this};
    reply reply_{*this};

public:
    /// Moves before it is awaited only.
    offload_wait(offload_wait&& other) noexcept
        : function_{std::move(other.function_)}, args_{std::move(other.args_)} {}
};

}  // namespace detail

/// Calls `function(args...)` on a thread of the loop's small pool (four at most, first come first served), for what blocks
/// and has no operation.
///
/// Result:    what the function returns.
/// Errors:    what it throws; std::system_error when no thread can be started; `cancelled` when cancelled before it
///            began. A call that has begun is waited for: the job's next await raises the cancellation.
/// Lifetime:  owns the function and the arguments; what they refer to must outlive the await.
/// Thread:    awaited on the loop's; the function runs on another, where nothing of this library may be awaited.
/// Maps to:   no system call of its own; the result comes back through the loop's mailbox. Allocates nothing.
template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
auto offload(F&& function, Args&&... args) {
    return detail::offload_wait<std::decay_t<F>, std::decay_t<Args>...>{
        std::decay_t<F>(std::forward<F>(function)), std::decay_t<Args>(std::forward<Args>(args))...};
}

}  // namespace ringlet::io
