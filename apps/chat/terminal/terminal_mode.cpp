// SPDX-License-Identifier: MIT
#include "chat/terminal/terminal_mode.hpp"

#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/signal.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <system_error>

#include <asm/termbits.h>  // the kernel's, for ioctl_tty(2), which waits for nothing
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace chat {
namespace {

namespace sys = ringlet::io::sys;

constexpr std::array crashes{SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

// Where a handler finds them.
::termios before;
std::array<struct sigaction, crashes.size()> handled_before;
sigset_t blocked_before;

const ringlet::os::signal_set& held_back() noexcept {
    static const ringlet::os::signal_set signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
    return signals;
}

void set(const ::termios& wanted) noexcept {
    ::termios copy = wanted;
    sys::ioctl(STDIN_FILENO, TCSETS, &copy);
}

// Started with & the terminal is the shell's, in a mode of its own, which must not be taken for what it is to be after us:
// stops until it is ours, as reading it would. Not for ever, where nobody can stop us.
void wait_for_foreground() noexcept {
    pid_t owner = 0;
    for (int i = 0; i < 16; ++i) {
        if (sys::ioctl(STDIN_FILENO, TIOCGPGRP, &owner) != 0 || owner == ::getpgrp()) return;
        sys::raise(SIGTTIN);
    }
}

void restore_and_crash(int number) noexcept {
    set(before);
    constexpr std::string_view new_line = "\r\n\x1b[J";
    [[maybe_unused]] const auto written = sys::write(STDOUT_FILENO, new_line.data(), new_line.size());
    for (std::size_t i = 0; i < crashes.size(); ++i)
        if (crashes[i] == number) sys::sigaction(number, &handled_before[i], nullptr);
    sys::raise(number);  // for whoever handled it before
}

}  // namespace

terminal_mode::terminal_mode() {
    wait_for_foreground();
    if (sys::ioctl(STDIN_FILENO, TCGETS, &before) != 0)
        throw std::system_error{errno, std::generic_category(), "standard input"};
    sys::pthread_sigmask(SIG_BLOCK, &held_back().bits(), &blocked_before);
    struct sigaction crash{};
    crash.sa_handler = restore_and_crash;
    crash.sa_flags = SA_ONSTACK;
    for (std::size_t i = 0; i < crashes.size(); ++i) sys::sigaction(crashes[i], &crash, &handled_before[i]);
    apply();
}

terminal_mode::~terminal_mode() {
    restore();
    for (std::size_t i = 0; i < crashes.size(); ++i) sys::sigaction(crashes[i], &handled_before[i], nullptr);
    sys::pthread_sigmask(SIG_SETMASK, &blocked_before, nullptr);
}

void terminal_mode::apply() noexcept {
    ::termios raw = before;
    raw.c_iflag &= ~static_cast<tcflag_t>(INLCR | IGNCR | ISTRIP);
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ECHOE | ECHOK | ECHONL | IEXTEN);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    set(raw);
}

void terminal_mode::restore() noexcept { set(before); }

}  // namespace chat
