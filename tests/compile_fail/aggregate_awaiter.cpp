// SPDX-License-Identifier: MIT
// g++ 12 destroys an aggregate twice when it is made within a co_await expression.
// expect: an awaitable must not be an aggregate
// expect: give it a constructor
#include <ringlet/core/task.hpp>

#include <coroutine>

struct ready_number {
#ifdef CONTROL
    ready_number() {}
#endif
    using value_type = int;
    bool begin(ringlet::detail::job_block&, std::coroutine_handle<>) { return false; }
    int resume(ringlet::detail::job_block&) { return 1; }
};

ringlet::task<int> caller() { co_return co_await ready_number{}; }
