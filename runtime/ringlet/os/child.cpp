// SPDX-License-Identifier: MIT
#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/child.hpp>
#include <ringlet/time/sleep.hpp>

#include <cerrno>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ringlet::os {
namespace {

constexpr int patience_ms = 200;
// <sys/wait.h> has it from glibc 2.36 on, <sys/pidfd.h> too.
constexpr auto by_pidfd = static_cast<idtype_t>(3);

int open_pidfd(pid_t pid) noexcept { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }
int signal_pidfd(int pidfd, int number) noexcept {
    return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0));
}

}  // namespace

void detail::keep_exit_codes() noexcept {
    struct sigaction now{};
    if (io::sys::sigaction(SIGCHLD, nullptr, &now) != 0) return;
    const bool ignored = (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_IGN;
    if (!ignored && (now.sa_flags & SA_NOCLDWAIT) == 0) return;
    if (ignored) now.sa_handler = SIG_DFL;
    now.sa_flags &= ~SA_NOCLDWAIT;
    io::sys::sigaction(SIGCHLD, &now, nullptr);
}

child::child(pid_t pid) : pid_{pid}, pidfd_{open_pidfd(pid)} {
    if (pidfd_) return;
    const int error = errno;
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    throw std::system_error{error, std::generic_category(), "pidfd_open"};
}

child::child(child&& other) noexcept
    : pid_{other.pid_}, pidfd_{std::move(other.pidfd_)}, exit_code_{std::move(other.exit_code_)}, lost_{other.lost_} {}

child& child::operator=(child&& other) noexcept {
    if (this != &other) {
        end();
        pid_ = other.pid_;
        pidfd_ = std::move(other.pidfd_);
        exit_code_ = other.exit_code_;
        lost_ = other.lost_;
    }
    return *this;
}

child::~child() { end(); }

// Whether it has ended, as far as can be known.
bool child::reap(int options) noexcept {
    if (exit_code_ || lost_ || !pidfd_) return true;
    siginfo_t info{};
    int res = 0;
    do {
        res = ::waitid(by_pidfd, static_cast<id_t>(pidfd_.get()), &info, WEXITED | options);
    } while (res != 0 && errno == EINTR);
    if (res != 0) {
        lost_ = true;
    } else if (info.si_pid == 0) {
        return false;
    } else {
        exit_code_ = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    }
    return true;
}

void child::end() noexcept {
    if (reap(WNOHANG)) return;
    signal_pidfd(pidfd_.get(), SIGTERM);
    pollfd ended{pidfd_.get(), POLLIN, 0};
    if (io::sys::poll(&ended, 1, patience_ms) <= 0) signal_pidfd(pidfd_.get(), SIGKILL);
    reap(0);
}

std::optional<int> child::exit_code() {
    reap(WNOHANG);
    if (lost_) throw std::system_error{ECHILD, std::generic_category(), "somebody else reaped the child"};
    return exit_code_;
}

task<int> child::join() {
    std::optional<int> code = exit_code();
    if (code) co_await yield();
    while (!code) {
        co_await io::poll_op{pidfd_, POLLIN};
        code = exit_code();
    }
    co_return *code;
}

void child::send_signal(int number) {
    if (reap(WNOHANG)) return;
    if (signal_pidfd(pidfd_.get(), number) != 0 && errno != ESRCH)
        throw std::system_error{errno, std::generic_category(), "cannot send a signal to the child"};
}

}  // namespace ringlet::os
