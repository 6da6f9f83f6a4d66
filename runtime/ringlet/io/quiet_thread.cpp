// SPDX-License-Identifier: MIT
#include <ringlet/io/quiet_thread.hpp>

#include <new>

#include <pthread.h>

namespace ringlet::io {

sigset_t signals_for_others() noexcept {
    sigset_t all;
    sigfillset(&all);
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF})
        sigdelset(&all, number);
    return all;
}

// Not by io::sys: in a simulation there are no threads.
signals_blocked::signals_blocked() noexcept {
    const sigset_t those = signals_for_others();
    pthread_sigmask(SIG_BLOCK, &those, &before_);
}

signals_blocked::~signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

stack_for_crashes::stack_for_crashes() noexcept {
    if (!crashes_need_a_stack.load(std::memory_order_relaxed)) return;
    if (::sigaltstack(nullptr, &before_) != 0 || (before_.ss_flags & SS_DISABLE) == 0) return;
    stack_.reset(new (std::nothrow) std::byte[bytes]);
    if (!stack_) return;  // only the report of an overflow is lost
    stack_t ours{};
    ours.ss_sp = stack_.get();
    ours.ss_size = bytes;
    if (::sigaltstack(&ours, nullptr) != 0) stack_.reset();
}

stack_for_crashes::~stack_for_crashes() {
    if (stack_) ::sigaltstack(&before_, nullptr);
}

sigset_t signals_blocked::free_before() const noexcept {
    sigset_t free;
    sigfillset(&free);
    for (int number = 1; number < NSIG; ++number)
        if (sigismember(&before_, number) == 1 && sigismember(&blocked_by_library, number) == 0)
            sigdelset(&free, number);
    return free;
}

}  // namespace ringlet::io
