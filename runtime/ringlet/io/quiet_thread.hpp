// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

#include <signal.h>

namespace ringlet::io {

/// The signals that this library has blocked in this thread, and the program has not: what runs as a child process is to
/// have them free, or neither SIGTERM nor `timeout` would reach it.
inline constinit thread_local sigset_t blocked_by_library{};

/// Every signal but those that a thread brings upon itself (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT): where
/// one of them is blocked, the kernel kills the process and asks no handler, so a crash would leave no word. Nor SIGPROF, by
/// which profilers look at each thread.
sigset_t signals_for_others() noexcept;

/// Blocks signals_for_others() in this thread while it lives.
class signals_blocked {
public:
    signals_blocked() noexcept;
    signals_blocked(const signals_blocked&) = delete;
    signals_blocked& operator=(const signals_blocked&) = delete;
    ~signals_blocked();

    /// Those that the program has not blocked here: blocked_by_library of a thread that is started meanwhile.
    sigset_t free_before() const noexcept;

private:
    sigset_t before_;
};

/// Set once crashes are reported on a stack of their own: then each quiet thread gets one, too, as the kernel keeps it for
/// each thread.
inline constinit std::atomic<bool> crashes_need_a_stack = false;

/// Where this thread's handlers of crashes run, as its own stack may be what overflowed. Only if crashes_need_a_stack, and
/// the thread has none already.
class stack_for_crashes {
public:
    stack_for_crashes() noexcept;
    stack_for_crashes(const stack_for_crashes&) = delete;
    stack_for_crashes& operator=(const stack_for_crashes&) = delete;
    ~stack_for_crashes();

    static constexpr std::size_t bytes = std::size_t{64} * 1024;

private:
    std::unique_ptr<std::byte[]> stack_;
    stack_t before_{};
};

/// Starts a thread in which signals_for_others() are blocked: they stay with the threads that wait for them. Its children
/// get the mask that the program has in this one. Errors: std::system_error when there is no thread to be had.
template <class F>
std::thread quiet_thread(F function) {
    const signals_blocked inherited;
    return std::thread{[function = std::move(function), ours = inherited.free_before()]() mutable {
        blocked_by_library = ours;
        const stack_for_crashes stack;
        function();
    }};
}

}  // namespace ringlet::io
