// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/testing/simulation.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ringlet::testing {

/// Makes the task under test, with all that it needs around it: peers as jobs of its own, files by the simulation.
using task_maker = std::function<task<>(simulation&)>;

/// What cancel_everywhere or fail_everywhere has done.
struct everywhere_report {
    std::uint64_t points = 0;     ///< where the task was cancelled, or what failed
    std::uint64_t runs = 0;       ///< more than points: each in several ways
    std::uint64_t completed = 0;  ///< runs that ended as if nothing had been
    std::uint64_t cancelled = 0;  ///< runs that ended by `cancelled`
    std::uint64_t failed = 0;     ///< runs that ended by another exception
    /// "31 points, 93 runs: 40 completed, 53 cancelled, 0 failed"
    std::string to_string() const;
};

/// How the runs are made.
struct everywhere_options {
    std::uint64_t seed = 1;
    /// fail_everywhere: fails every so many'th allocation only, for tasks that make many.
    std::uint64_t allocation_stride = 1;
    /// fail_everywhere: errno values for every operation in place of the plausible ones of each.
    std::vector<int> errors;
};

/// Runs the task once to count its suspension points, and those of the jobs that it spawns; then once for each point and
/// each way in which a cancellation may meet an operation (it wins; it comes too late; it finds the operation being done),
/// and cancels the task there.
///
/// Errors: broken_invariant when a run leaves behind an operation, a descriptor, a frame or a buffer, or when it never
///         ends; its text says at which point. What the first run, which is not cancelled, throws.
everywhere_report cancel_everywhere(const task_maker& make, const everywhere_options& options = {});

/// Runs the task once to count its operations and allocations; then once for each operation and each error that it could
/// plausibly give, and once for each allocation, which fails: frames and blocks of the runtime, and with
/// testing/failing_new.hpp in the program all of operator new.
///
/// Errors: as cancel_everywhere.
everywhere_report fail_everywhere(const task_maker& make, const everywhere_options& options = {});

/// The errors that a kernel may give for an operation (IORING_OP_*).
std::vector<int> plausible_errors(std::uint8_t opcode);

/// Many runs, each with another seed.
struct hunt_options {
    std::uint64_t first_seed = 1;
    std::uint64_t seeds = 100;
    fault_plan faults = fault_plan::everything();
    /// At least this share of the runs must end well after one fault or more: a program that gives up at once is not one
    /// that copes. 0 where no fault is planned.
    double success_share = 0.25;
    /// Each seed twice: the traces must be the same.
    bool twice = false;
};

struct hunt_report {
    std::uint64_t seeds = 0;
    std::uint64_t succeeded = 0;
    std::uint64_t succeeded_after_fault = 0;
    std::uint64_t steps = 0;
    fault_counts faults;
    std::string to_string() const;
};

/// Runs `scenario` in a simulation of each seed. It says whether its work was done; what went wrong in a way that must not
/// be, it throws.
///
/// Errors: std::runtime_error whose text begins with the seed and the step, which are all that a replay needs:
///         `scenario` threw; two runs of a seed differ; too few runs ended well.
hunt_report hunt(const hunt_options& options, const std::function<bool(simulation&)>& scenario);

}  // namespace ringlet::testing
