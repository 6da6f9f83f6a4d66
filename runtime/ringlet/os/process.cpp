// SPDX-License-Identifier: MIT
#include <ringlet/core/scheduler.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/io/quiet_thread.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/child.hpp>
#include <ringlet/os/process.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>

#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

#include <stdio_ext.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace ringlet::os {
namespace {

[[noreturn]] void run_child(int (*body)(void*), void* context) noexcept {
    const std::string_view program = ::program_invocation_short_name;
    int status = 0;
    try {
        status = body(context);
    } catch (...) {
        status = detail::report_failure(program);
    }
    status = detail::finish_output(program, status);
    std::fflush(nullptr);
    ::_exit(status);
}

}  // namespace

pid_t detail::fork_and_call(int (*body)(void*), void* context) {
    if (io::sys::simulated) throw std::system_error{ENOSYS, std::generic_category(), "fork in the simulated kernel"};
    std::fflush(nullptr);
    keep_exit_codes();
    // A signal between the fork and the child's own mask must wait: the parent's job that expects it is not there. A crash
    // need not.
    const sigset_t others = io::signals_for_others();
    sigset_t before;
    io::sys::pthread_sigmask(SIG_BLOCK, &others, &before);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    const int error = errno;
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);  // it ended before it could take this one with it
        // What could not be written out is the parent's to write.
        ::__fpurge(stdout);
        ::__fpurge(stderr);
        const sigset_t mask = mask_for_children(before);
        forget_waits();
        io::sys::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
        run_child(body, context);
    }
    io::sys::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) throw std::system_error{error, std::generic_category(), "fork"};
    return pid;
}

io::loop_options detail::options_of_this_thread() {
    return ringlet::detail::this_thread_scheduler ? io::loop::current().options() : io::loop_options{};
}

}  // namespace ringlet::os
