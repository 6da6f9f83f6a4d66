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
/// fetch". Those of a job's failure are known as long as its handle lives, and go on where `get`, `joinall` or a group throw
/// it on into another job. Of failures that were handled, or whose job is gone, the last eight of this thread are known, until
/// the job that handled them ends; they are kept alive for it. Empty otherwise, for cancellations, and where memory ran out.
/// Where several jobs failed with one exception, it is the chain of the one that this job looked at last.
/// A failure that is caught and thrown again goes on where it was.
std::string await_chain(const std::exception_ptr& failure);

namespace detail {

struct job_block;

/// What reports call a job: its name, or "job 0x7f..." when it has none.
std::string label_of(const job_block& job);
/// Whether `job`, which may point to nothing, is a job of this thread's loop that has not ended. In a handler, too: it looks at
/// no more than twenty million jobs and groups, and says no when it has not found it by then.
bool is_alive(const job_block* job) noexcept;

/// `failure` leaves a frame whose last await was at `site`.
void note_unwound(const std::exception_ptr& failure, const std::source_location& site) noexcept;
/// `job` ends: the chain of its failure is with its block from now on, and those of the failures that it handled go.
void settle_chains(job_block& job) noexcept;
/// Nobody will ask for the chain of `job` any more.
void drop_chain(job_block& job) noexcept;

/// As print_tasks, by nothing but write(2): for handlers of signals. In short: descriptors have their numbers, not their
/// peers, for which the kernel would have to be asked. Ends though the lists be broken.
void print_tasks_in_handler(int fd) noexcept;

}  // namespace detail
}  // namespace ringlet
