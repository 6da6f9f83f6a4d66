// SPDX-License-Identifier: MIT
#include <ringlet/io/fd.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/quiet_thread.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/signal.hpp>

#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace ringlet::os {
namespace {

// For each signal how many jobs of this thread wait for it, whether it was blocked before the first began, and whether
// one of them has raised it anew for the others, which have not read it yet.
struct waiters {
    int count = 0;
    bool blocked_before = false;
    bool copied = false;
};
thread_local std::array<waiters, NSIG> all_waiters;

// A copy goes to this thread, and the kernel gives out what was sent to a thread before what was sent to its process. So
// a second signal, from outside, stays.
void eat_copy(int number) noexcept {
    const signal_set one{number};
    const timespec at_once{};
    io::sys::sigtimedwait(&one.bits(), nullptr, &at_once);
}

class blocked {
public:
    explicit blocked(const signal_set& wanted) noexcept : wanted_{wanted} {
        sigset_t before;
        io::sys::pthread_sigmask(SIG_BLOCK, &wanted.bits(), &before);
        for (int number = 1; number < NSIG; ++number) {
            if (!wanted.contains(number)) continue;
            waiters& w = all_waiters[static_cast<std::size_t>(number)];
            if (w.count++ > 0) continue;
            w.blocked_before = sigismember(&before, number) == 1;
            if (!w.blocked_before) sigaddset(&io::blocked_by_library, number);
        }
    }
    blocked(const blocked&) = delete;
    blocked& operator=(const blocked&) = delete;
    ~blocked() {
        sigset_t free;
        sigemptyset(&free);
        for (int number = 1; number < NSIG; ++number) {
            if (!wanted_.contains(number)) continue;
            waiters& w = all_waiters[static_cast<std::size_t>(number)];
            if (--w.count > 0) continue;
            // Those for whom it was meant have been cancelled.
            if (std::exchange(w.copied, false)) eat_copy(number);
            if (w.blocked_before) continue;
            sigaddset(&free, number);
            sigdelset(&io::blocked_by_library, number);
        }
        // The others that wait for it see it, too.
        if (got_ != 0 && all_waiters[static_cast<std::size_t>(got_)].count > 0) {
            all_waiters[static_cast<std::size_t>(got_)].copied = true;
            io::sys::raise(got_);
        }
        io::sys::pthread_sigmask(SIG_UNBLOCK, &free, nullptr);
    }
    void got(int number) noexcept {
        got_ = number;
        all_waiters[static_cast<std::size_t>(number)].copied = false;
    }

private:
    signal_set wanted_;
    int got_ = 0;
};

// Who started the program with a signal ignored (nohup; a shell's background job) is obeyed. Once blocked, it would come.
signal_set without_ignored(const signal_set& wanted) noexcept {
    signal_set heard;
    for (int number = 1; number < NSIG; ++number) {
        struct sigaction now{};
        if (wanted.contains(number) && io::sys::sigaction(number, nullptr, &now) == 0 && now.sa_handler != SIG_IGN)
            heard.add(number);
    }
    return heard;
}

}  // namespace

task<int> until_one_of(signal_set asked) {
    const signal_set wanted = without_ignored(asked);
    blocked mask{wanted};
    const io::owned_fd source{io::sys::signalfd(-1, &wanted.bits(), SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!source) throw std::system_error{errno, std::generic_category(), "signalfd"};
    for (;;) {
        co_await io::poll_op{source, POLLIN};
        signalfd_siginfo info{};
        // Another waiter may have been faster.
        if (io::sys::read(source.get(), &info, sizeof info) != sizeof info) continue;
        const int number = static_cast<int>(info.ssi_signo);
        mask.got(number);
        co_return number;
    }
}

sigset_t detail::mask_for_children(const sigset_t& now) noexcept {
    sigset_t mask = now;
    for (int number = 1; number < NSIG; ++number)
        if (sigismember(&io::blocked_by_library, number) == 1) sigdelset(&mask, number);
    return mask;
}

void detail::forget_waits() noexcept {
    all_waiters = {};
    io::blocked_by_library = {};
}

}  // namespace ringlet::os
