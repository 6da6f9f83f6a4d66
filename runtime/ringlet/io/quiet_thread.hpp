// SPDX-License-Identifier: MIT
#pragma once

#include <thread>
#include <utility>

#include <signal.h>

namespace ringlet::io {

/// The signals that this library has blocked in this thread, and the program has not: what runs as a child process is to
/// have them free, or neither SIGTERM nor `timeout` would reach it.
inline constinit thread_local sigset_t blocked_by_library{};

/// Blocks every signal in this thread while it lives.
class all_signals_blocked {
public:
    all_signals_blocked() noexcept;
    all_signals_blocked(const all_signals_blocked&) = delete;
    all_signals_blocked& operator=(const all_signals_blocked&) = delete;
    ~all_signals_blocked();

    /// Those that the program has not blocked here: blocked_by_library of a thread that is started meanwhile.
    sigset_t free_before() const noexcept;

private:
    sigset_t before_;
};

/// Starts a thread in which every signal is blocked: they stay with the threads that wait for them. Its children get the
/// mask that the program has in this one. Errors: std::system_error when there is no thread to be had.
template <class F>
std::thread quiet_thread(F function) {
    const all_signals_blocked inherited;
    return std::thread{[function = std::move(function), ours = inherited.free_before()]() mutable {
        blocked_by_library = ours;
        function();
    }};
}

}  // namespace ringlet::io
