// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/detail/job_block.hpp>
#include <ringlet/core/frame_pool.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/core/scheduler.hpp>

#include <coroutine>
#include <exception>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

namespace ringlet::detail {

/// The part of a promise that does not depend on the result.
class promise_base : public in_frame_pool {
public:
    std::suspend_always initial_suspend() const noexcept { return {}; }

    struct final_awaiter {
        final_awaiter() noexcept {}
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
            // No continuation: this task was started within its parent's await, which looks at done() and goes on.
            if (const auto parent = self.promise().continuation) {
                scheduler& loop = *this_thread_scheduler;
                loop.next = parent;
                loop.finished_root = self;
            }
        }
        void await_resume() const noexcept {}
    };
    final_awaiter final_suspend() const noexcept { return {}; }

    template <class A>
    auto await_transform(A&& awaitable, std::source_location where = std::source_location::current()) noexcept {
        static_assert(is_awaitable<std::remove_cvref_t<A>>,
                      "this type cannot be awaited in a ringlet task: await a task, an operation or an adapter");
        static_assert(!std::is_lvalue_reference_v<A>,
                      "a task or operation is awaited once and as an rvalue: write co_await std::move(x)");
        static_assert(!std::is_aggregate_v<std::remove_cvref_t<A>>,
                      "an awaitable must not be an aggregate (g++ 12 destroys it twice): give it a constructor");
        if constexpr (with_eyes) site = where;
        return awaiter<std::remove_reference_t<A>>{awaitable};
    }

    std::coroutine_handle<> continuation;
    std::source_location site;

protected:
    /// The exception that leaves the body: for a cancellation of a timeout_scope whose block has ended, its timeout_error.
    static std::exception_ptr left_by() noexcept;
};

template <class T>
class promise;

/// The await that the frame of `handle` stands in. Line 0 when it has not awaited anything yet.
inline std::source_location await_site(std::coroutine_handle<> handle) noexcept {
    return std::coroutine_handle<promise_base>::from_address(handle.address()).promise().site;
}

}  // namespace ringlet::detail
