// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/private_fd.hpp>

#include <optional>

#include <signal.h>
#include <sys/types.h>

namespace ringlet::os {
namespace detail {

/// Before a child is started: lets the kernel keep how children ended, which it does not where SIGCHLD is ignored.
void keep_exit_codes() noexcept;

}  // namespace detail

/// A child process, held by a pidfd(2): what `process` and `popen` share. Signals reach this child or nobody, never a later
/// process with its number. Leave SIGCHLD alone, and do not waitpid(-1): who reaps children takes their status away. Where
/// the program was started with SIGCHLD ignored, which does that too, its first child gives the signal its default action.
///
/// The destructor of a child that still runs sends SIGTERM; what has not ended 200 ms later gets SIGKILL. It waits for the
/// end, and the loop with it, so that neither a zombie nor an orphan stays. In a forked process, the parent's holds nothing.
/// Thread: the loop's thread only, but for the destructor.
class child {
public:
    child(child&& other) noexcept;
    child& operator=(child&& other) noexcept;
    ~child();

    /// Waits until the child has ended, and reaps it. Any number of jobs may wait, and again later. For a time limit:
    /// `with_timeout(1s, c.join())`; the child goes on when it runs out.
    ///
    /// Result:    its exit code, see below.
    /// Errors:    `cancelled`, which does not end the child; std::system_error (ECHILD) when somebody else reaped it, or
    ///            SIGCHLD has been ignored since it was started.
    /// Lifetime:  borrows the child until the co_await ends.
    /// Maps to:   IORING_OP_POLL_ADD on the pidfd, waitid(2) with P_PIDFD.
    task<int> join();

    /// The exit status; when a signal ended it the signal's number, negative: -9 after SIGKILL (as Python). nullopt while it
    /// runs: looks, and does not wait. Throws std::system_error (ECHILD) when somebody else reaped it.
    std::optional<int> exit_code();
    bool running() { return !exit_code(); }

    /// Sends a signal; nothing happens when the child has ended. Throws std::system_error (EPERM, EINVAL).
    void send_signal(int number);
    /// SIGTERM: asks it to end. Whether it has, `join` says.
    void terminate() { send_signal(SIGTERM); }
    /// SIGKILL: ends it, whatever it does.
    void kill() { send_signal(SIGKILL); }

    /// Its number; that of an ended child may be another process's by now.
    pid_t pid() const noexcept { return pid_; }

protected:
    /// Takes over a child that nobody has waited for. When there is no descriptor for it, it is killed and reaped, and
    /// std::system_error thrown.
    explicit child(pid_t pid);

private:
    bool reap(int options) noexcept;
    void end() noexcept;

    pid_t pid_ = -1;
    io::private_fd pidfd_;
    std::optional<int> exit_code_;
    bool lost_ = false;  // somebody else reaped it
};

}  // namespace ringlet::os
