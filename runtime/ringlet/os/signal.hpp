// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>

#include <concepts>
#include <initializer_list>

#include <signal.h>

namespace ringlet {
namespace os {

/// A set of signal numbers.
class signal_set {
public:
    signal_set() noexcept { sigemptyset(&bits_); }
    signal_set(std::initializer_list<int> numbers) noexcept {
        sigemptyset(&bits_);
        for (const int number : numbers) sigaddset(&bits_, number);
    }
    void add(int number) noexcept { sigaddset(&bits_, number); }
    bool contains(int number) const noexcept { return sigismember(&bits_, number) == 1; }
    const sigset_t& bits() const noexcept { return bits_; }

private:
    sigset_t bits_;
};

/// See ringlet::until_signal.
task<int> until_one_of(signal_set wanted);

namespace detail {

/// `now` without the signals that are blocked only because jobs of this thread wait for them, or because it is a thread of
/// this library: what a child is to have.
sigset_t mask_for_children(const sigset_t& now) noexcept;
/// In a child of fork(2), which has that mask: the waits are the parent's.
void forget_waits() noexcept;

}  // namespace detail

}  // namespace os

/// Waits until one of the signals comes. While it waits they are blocked in this thread and do nothing else; afterwards
/// the mask is as before, so that a second Ctrl-C takes the default action and ends the program at once. When several
/// jobs wait for a signal, each sees it. One that is ignored (SIG_IGN) when the wait begins stays so: a program that nohup or
/// a script's background job started does not hear what it was started to ignore.
///
/// Result:    the signal's number.
/// Errors:    std::system_error as signalfd(2); `cancelled`. A signal that comes too late for the wait is not lost: it
///            takes its default action, or the handler's, when the mask is restored.
/// Thread:    the loop's thread. Other threads that do not block the signals take them first; this library's
///            own block all but those of a crash (SIGSEGV, SIGABRT, ...) and SIGPROF: wait for these in no program that
///            has such threads.
/// Maps to:   signalfd(2), IORING_OP_POLL_ADD.
template <std::same_as<int>... Numbers>
    requires(sizeof...(Numbers) > 0)
task<int> until_signal(Numbers... numbers) {
    return os::until_one_of(os::signal_set{numbers...});
}

}  // namespace ringlet
