// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/job.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/os/child.hpp>
#include <ringlet/os/run_main.hpp>

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace ringlet {
namespace os {
namespace detail {

/// What a call gives in the end: the value of the task when it is a coroutine function's.
template <class R>
struct value_of {
    using type = R;
};
template <class T>
struct value_of<task<T>> {
    using type = T;
};

/// For a loop in another thread or process: the options of this thread's, the default ones when it has none.
io::loop_options options_of_this_thread();

/// Calls a function; a coroutine function on a new loop of this thread.
template <class F, class... Args>
auto call_anyhow(const io::loop_options& options, F& function, Args&... args) {
    using R = std::invoke_result_t<F&, Args&...>;
    if constexpr (ringlet::detail::is_task<R>::value) {
        io::loop here{options};
        return here.run(call(&function, args...));
    } else {
        return std::invoke(function, args...);
    }
}

/// Forks. In the child, calls `body(context)` and ends with what it gives; in the parent, gives the child's number.
/// Errors: std::system_error as fork(2), ENOSYS in the simulation.
pid_t fork_and_call(int (*body)(void*), void* context);

}  // namespace detail

/// A function that runs in a child process: fork(2). As Python's multiprocessing.Process.
///
/// The child has a copy of the parent's memory as it was, one thread, and a loop of its own; nothing of the parent's loop
/// goes on in it: no job, no timer, no request, and it holds neither the parent's ring nor the pipes and pidfds of its
/// other children. It has copies of all other descriptors (a connection that the parent closes ends for its peer only
/// when the child has ended, too), of signal handlers, and of the signal mask, but for what until_signal blocks, and the
/// threads of os::thread and offload.
/// What the parent's jobs were doing must not be touched: a mutex that one held stays held. With other threads in the
/// parent, what they held when it forked (malloc and stdio excepted) is held for ever: start processes before threads.
///
/// It does not outlive its parent: the kernel kills it (SIGKILL) when the thread that started it ends, however that ends.
class process : public child {
public:
    /// Starts `function(args...)`. A coroutine function gets a new loop, with the options of the parent's.
    ///
    /// Result:    the process. In the child: its exit status is 0, or what the function or its task gives if that is an
    ///            int. A failure is printed, "program: what went wrong", and gives 1 (130 for a cancellation), as run_main
    ///            says. The child ends by _exit(2): stdio is written out, but no destructor of what the parent had, no
    ///            atexit handler, runs.
    /// Errors:    std::system_error as fork(2) (EAGAIN, ENOMEM), EMFILE; ENOSYS in the simulation.
    /// Lifetime:  the child has copies of everything. A reference (std::ref) is to the child's copy; what both are to see
    ///            goes through a process_queue, a pipe or a socket.
    /// Thread:    the loop's thread, or any that runs no loop. What stdio holds is written out before (fflush), so that it
    ///            is not written twice.
    /// Maps to:   fork(2), pidfd_open(2), PR_SET_PDEATHSIG.
    template <class F, class... Args>
        requires std::invocable<F&, Args&...>
    static process start(F function, Args... args) {
        using R = std::invoke_result_t<F&, Args&...>;
        const io::loop_options options = detail::options_of_this_thread();
        auto body = [&]() -> int {
            if constexpr (std::is_void_v<R> || std::is_same_v<R, task<>>) {
                detail::call_anyhow(options, function, args...);
                return 0;
            } else {
                static_assert(
                    std::is_same_v<R, int> || std::is_same_v<R, task<int>>,
                    "a process gives nothing or an int, its exit status; use a process_queue or process_pool");
                return detail::call_anyhow(options, function, args...);
            }
        };
        return process{
            detail::fork_and_call([](void* self) { return (*static_cast<decltype(body)*>(self))(); }, &body)};
    }

private:
    explicit process(pid_t pid) : child{pid} {}
};

}  // namespace os

using os::process;

}  // namespace ringlet
