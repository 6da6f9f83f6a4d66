// SPDX-License-Identifier: MIT
#include <ringlet/core/error.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/testing/everywhere.hpp>

#include <fmt/format.h>
#include <liburing.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

namespace ringlet::testing {
namespace {

enum class ending : std::uint8_t { completed, cancelled, failed };

// The task under test as a job, so that it can be cancelled from outside while this goes on waiting for it.
task<> watch(task<> body, job<>*& subject) {
    job<> running = spawn(std::move(body));
    struct until_end {
        job<>*& pointer;
        ~until_end() { pointer = nullptr; }
    };
    subject = &running;
    const until_end no_longer{subject};
    co_await running.join();
    co_await running.get();
}

struct run_plan {
    fault_plan faults;
    std::int64_t cancel_at = -1;  // turn
    planned_failure operation;
    std::uint64_t allocation = 0;
};

struct run_result {
    ending how = ending::completed;
    std::exception_ptr failure;
    std::uint64_t turns = 0;
    std::uint64_t allocations = 0;
    std::vector<std::uint8_t> operations;
};

[[noreturn]] void raise_broken(const std::string& what, const std::string& during) {
    throw broken_invariant{during + ": " + what};
}

run_result run_once(const task_maker& make, std::uint64_t seed, const run_plan& plan, const std::string& during) {
    simulation world{seed, plan.faults};
    job<>* subject = nullptr;
    world.fail_operation(plan.operation);
    world.fail_allocation(plan.allocation);
    if (plan.cancel_at >= 0)
        world.on_turn([&](std::uint64_t turn) {
            if (turn == static_cast<std::uint64_t>(plan.cancel_at) && subject) subject->cancel();
        });
    run_result result;
    try {
        world.run(watch(make(world), subject));
    } catch (const cancelled&) {
        result.how = ending::cancelled;
    } catch (const std::logic_error& broken) {  // broken_invariant and deadlock_error
        raise_broken(broken.what(), during);
    } catch (...) {
        result.how = ending::failed;
        result.failure = std::current_exception();
    }
    result.turns = world.turns();
    result.allocations = world.allocations();
    result.operations = world.operations();
    return result;
}

void count(everywhere_report& report, ending how) noexcept {
    ++report.runs;
    ++(how == ending::completed ? report.completed : how == ending::cancelled ? report.cancelled : report.failed);
}

run_result undisturbed_run(const task_maker& make, std::uint64_t seed) {
    run_result result = run_once(make, seed, {}, "undisturbed");
    if (result.failure) std::rethrow_exception(result.failure);
    if (result.how != ending::completed) raise_broken("the task ended by cancellation", "undisturbed");
    return result;
}

}  // namespace

std::string everywhere_report::to_string() const {
    return fmt::format("{} points, {} runs: {} completed, {} cancelled, {} failed", points, runs, completed, cancelled,
                       failed);
}

everywhere_report cancel_everywhere(const task_maker& make, const everywhere_options& options) {
    const run_result whole = undisturbed_run(make, options.seed);
    everywhere_report report;
    report.points = whole.turns;
    struct way {
        const char* name;
        fault_plan faults;
    };
    const way ways[] = {{"the cancellation wins", {}},
                        {"it comes too late", fault_plan{}.with(fault::late_cancel, 1)},
                        {"the operation is being done", fault_plan{}.with(fault::busy_cancel, 1)}};
    for (std::uint64_t turn = 0; turn < whole.turns; ++turn) {
        for (const way& w : ways) {
            run_plan plan;
            plan.faults = w.faults;
            plan.cancel_at = static_cast<std::int64_t>(turn);
            const run_result r = run_once(make, options.seed, plan,
                                          fmt::format("cancelled at point {} of {}, {}", turn, whole.turns, w.name));
            count(report, r.how);
        }
    }
    return report;
}

everywhere_report fail_everywhere(const task_maker& make, const everywhere_options& options) {
    const run_result whole = undisturbed_run(make, options.seed);
    everywhere_report report;
    for (std::uint64_t n = 1; n <= whole.operations.size(); ++n) {
        const std::uint8_t opcode = whole.operations[n - 1];
        for (const int error : options.errors.empty() ? plausible_errors(opcode) : options.errors) {
            run_plan plan;
            plan.operation = {n, error};
            ++report.points;
            count(report, run_once(make, options.seed, plan,
                                   fmt::format("operation {} of {} (opcode {}) failed with {}", n,
                                               whole.operations.size(), opcode, strerrorname_np(error)))
                              .how);
        }
    }
    for (std::uint64_t n = 1; n <= whole.allocations; n += options.allocation_stride) {
        run_plan plan;
        plan.allocation = n;
        ++report.points;
        count(report,
              run_once(make, options.seed, plan, fmt::format("allocation {} of {} failed", n, whole.allocations)).how);
    }
    return report;
}

std::vector<int> plausible_errors(std::uint8_t opcode) {
    switch (opcode) {
        case IORING_OP_READ:
            return {EIO, ENOMEM, EINTR};
        case IORING_OP_WRITE:
            return {EIO, ENOSPC, EDQUOT, EFBIG, EPIPE, ENOMEM};
        case IORING_OP_FALLOCATE:
            return {ENOSPC, EOPNOTSUPP, EIO, ENOMEM};
        case IORING_OP_FSYNC:
            return {EIO, ENOSPC, ENOMEM};
        case IORING_OP_RECV:
        case IORING_OP_RECVMSG:
            return {ECONNRESET, ETIMEDOUT, ENOBUFS, ENOMEM, ECONNREFUSED};
        case IORING_OP_SEND:
        case IORING_OP_SENDMSG:
            return {ECONNRESET, EPIPE, ETIMEDOUT, ENOBUFS, ENOMEM, ECONNREFUSED, EMSGSIZE, ENETUNREACH};
        case IORING_OP_ACCEPT:
            return {ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EINVAL};
        case IORING_OP_CONNECT:
            return {ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, ENOMEM};
        case IORING_OP_OPENAT2:
            return {ENOENT, EACCES, EMFILE, ENFILE, ENOMEM, ELOOP, EAGAIN, EXDEV};
        case IORING_OP_STATX:
            return {ENOENT, EACCES, ENOMEM};
        case IORING_OP_RENAMEAT:
            return {ENOENT, EEXIST, EACCES, ENOSPC, EINVAL, ENOMEM};
        case IORING_OP_UNLINKAT:
            return {ENOENT, EACCES, EBUSY, ENOMEM};
        case IORING_OP_CLOSE:
            return {EIO, ENOSPC, EINTR};
        case IORING_OP_POLL_ADD:
            return {ENOMEM};  // EINVAL is a terminal's, of which the simulation has none
        case IORING_OP_SHUTDOWN:
            return {ENOTCONN, ENOMEM};
        case IORING_OP_SPLICE:
            return {EIO, EPIPE, ENOMEM};
        default:
            return {ENOMEM};
    }
}

// --- many seeds ---

std::string hunt_report::to_string() const {
    return fmt::format("{} seeds, {} ended well, {} of them after a fault; {} steps; {}", seeds, succeeded,
                       succeeded_after_fault, steps, faults.to_string());
}

hunt_report hunt(const hunt_options& options, const std::function<bool(simulation&)>& scenario) {
    hunt_report report;
    const auto raise = [](const std::string& where, const std::string& what) {
        throw std::runtime_error{where + ": " + what};
    };
    for (std::uint64_t seed = options.first_seed; seed < options.first_seed + options.seeds; ++seed) {
        std::uint64_t trace = 0;
        for (int turn = 0; turn < (options.twice ? 2 : 1); ++turn) {
            simulation world{seed, options.faults};
            bool well = false;
            try {
                well = scenario(world);
                world.check();
            } catch (...) {
                raise(world.where(), ringlet::detail::describe(std::current_exception()));
            }
            if (turn == 1) {
                if (world.trace() != trace) raise(world.where(), "a second run with this seed was another run");
                continue;
            }
            trace = world.trace();
            ++report.seeds;
            report.steps += world.steps();
            report.faults.add(world.faults());
            if (well) ++report.succeeded;
            if (well && world.faults().total() > 0) ++report.succeeded_after_fault;
        }
    }
    const auto needed = options.success_share * static_cast<double>(report.seeds);
    if (static_cast<double>(report.succeeded_after_fault) < needed)
        raise(fmt::format("seeds {} to {}", options.first_seed, options.first_seed + options.seeds - 1),
              "too few runs ended well after a fault: " + report.to_string());
    return report;
}

}  // namespace ringlet::testing
