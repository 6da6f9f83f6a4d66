// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <source_location>
#include <string>

namespace ringlet {

/// The tree of jobs of this thread's loop: each with its name, what it waits for (descriptor and peer, timer, lock and its
/// holder), for how long, and the awaits that it stands in, innermost first. Empty where no loop runs.
/// Thread: the loop's thread.
std::string describe_tasks();

/// Prints describe_tasks() on standard error. Programs with run_main do it when they get SIGUSR1, and in short when they crash.
void print_tasks();

/// The awaits that a failure has passed on its way out of a job, innermost first, a line each: "  awaited at main.cpp:12 in
/// fetch". Known for the last eight failures of this thread, which are kept alive for it, and not for cancellations; empty
/// otherwise. A failure that is caught and thrown again goes on where it was.
std::string await_chain(const std::exception_ptr& failure);

namespace detail {

struct job_block;

/// What reports call a job: its name, or "job 0x7f..." when it has none.
std::string label_of(const job_block& job);

/// `failure` leaves a frame whose last await was at `site`.
void note_unwound(const std::exception_ptr& failure, const std::source_location& site) noexcept;

/// As print_tasks, short, by nothing but write(2): for handlers of signals.
void print_tasks_in_handler(int fd) noexcept;

}  // namespace detail
}  // namespace ringlet
