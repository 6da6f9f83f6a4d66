// SPDX-License-Identifier: MIT
#include <ringlet/io/quiet_thread.hpp>

#include <pthread.h>

namespace ringlet::io {

// Not by io::sys: in a simulation there are no threads.
all_signals_blocked::all_signals_blocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
}

all_signals_blocked::~all_signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

sigset_t all_signals_blocked::free_before() const noexcept {
    sigset_t free;
    sigfillset(&free);
    for (int number = 1; number < NSIG; ++number)
        if (sigismember(&before_, number) == 1 && sigismember(&blocked_by_library, number) == 0)
            sigdelset(&free, number);
    return free;
}

}  // namespace ringlet::io
