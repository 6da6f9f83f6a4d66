// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/testing/fault_plan.hpp>
#include <ringlet/testing/sim_engine.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ringlet::testing {

/// Something that holds in every run did not: an operation without its one last CQE, a descriptor or frame left behind, a
/// buffer given back twice or touched while the kernel had it. `what()` ends with the seed and the step.
class broken_invariant : public std::logic_error {
public:
    using logic_error::logic_error;
};

/// A kernel in memory, under virtual time, in which one seed decides everything that a real kernel and network may decide:
/// sockets, pipes, files, signals, latency, the order of completions, short transfers, errors. The same seed gives the same
/// run, step for step. While it lives, what this thread asks of the operating system by io::sys, and every loop that it
/// runs, belongs to it; so tasks run in it as they are.
///
/// The ready queue of a loop stays first in, first out, as it is documented. Threads (`offload`) are simulated: the call is
/// made on the loop's thread, a little later. Names are not resolved: use numeric addresses, of 127.0.0.0/8, 10.0.0.0/8, ::1.
///
/// Thread: one thread's; one at a time. Begins before the tasks that run in it are made.
class simulation {
public:
    explicit simulation(std::uint64_t seed = 1, const fault_plan& faults = fault_plan());
    simulation(const simulation&) = delete;
    simulation& operator=(const simulation&) = delete;
    ~simulation();

    /// Runs `main` on a new loop, as `ringlet::run`, and checks then that all invariants hold.
    /// Errors: those of the task; broken_invariant before them. deadlock_error also when all that is in flight waits for
    /// ever.
    template <class T>
    T run(task<T> main) {
        begin_run();
        std::exception_ptr failure;
        if constexpr (std::is_void_v<T>) {
            try {
                loop_->run(std::move(main));
            } catch (...) {
                failure = std::current_exception();
            }
            end_run(true);
            if (failure) std::rethrow_exception(failure);
        } else {
            std::optional<T> value;
            try {
                value.emplace(loop_->run(std::move(main)));
            } catch (...) {
                failure = std::current_exception();
            }
            end_run(std::is_trivially_destructible_v<T>);  // what it returns may own descriptors
            if (failure) std::rethrow_exception(failure);
            return *std::move(value);
        }
    }
    /// Runs the task that `make(args...)` gives, which may be a coroutine function.
    template <class F, class... Args>
        requires std::invocable<F&, Args&...>
    auto run(F make, Args... args) {
        return run(make(args...));
    }

    // --- the world around the program ---

    void write_file(std::string_view path, std::string_view content);
    std::optional<std::string> read_file(std::string_view path) const;
    std::vector<std::string> list(std::string_view directory) const;
    /// Room for the contents of all files; beyond it ENOSPC.
    void set_disk_bytes(std::uint64_t bytes) noexcept;
    /// RLIMIT_NOFILE; beyond it EMFILE.
    void set_descriptors_max(std::size_t count) noexcept;
    /// On standard input.
    void type(std::string_view text);
    void end_input();
    /// What has been written to standard output and standard error.
    const std::string& output() const;
    const std::string& errors() const;
    /// Sends the process a signal.
    void signal(int number);
    /// Does `what` so much virtual time from now.
    void after(std::chrono::nanoseconds delay, std::function<void()> what);

    // --- what happened ---

    std::uint64_t seed() const noexcept;
    /// Virtual time since the beginning.
    std::chrono::nanoseconds now() const noexcept;
    /// Submissions, completions and faults so far.
    std::uint64_t steps() const noexcept;
    /// Differs when anything of that differed.
    std::uint64_t trace() const noexcept;
    const fault_counts& faults() const noexcept;
    /// Throws broken_invariant if descriptors are open that were not before the first run, or anything else is wrong.
    void check() const;
    /// "seed 4711, step 815": enough to repeat a run.
    std::string where() const;

    // --- for cancel_everywhere and its like ---

    /// Operations of the last run by opcode, in the order of submission.
    const std::vector<std::uint8_t>& operations() const noexcept { return operations_; }
    /// Allocations of the last run: frames, and all of operator new where testing/failing_new.hpp is in the program.
    std::uint64_t allocations() const noexcept { return allocations_; }
    /// How often the loop looked at the kernel in the last run: between any two resumptions at least once.
    std::uint64_t turns() const noexcept { return turns_; }
    void fail_operation(const planned_failure& which) noexcept { planned_ = which; }
    /// Counted from 1; 0 for none.
    void fail_allocation(std::uint64_t which) noexcept { failing_allocation_ = which; }
    void on_turn(std::function<void(std::uint64_t)> what) { on_turn_ = std::move(what); }

private:
    struct state;
    void begin_run();
    void end_run(bool with_descriptors);
    [[noreturn]] void raise(const std::string& what) const;

    std::unique_ptr<state> state_;
    std::unique_ptr<loop> loop_;
    std::vector<std::uint8_t> operations_;
    std::uint64_t allocations_ = 0;
    std::uint64_t turns_ = 0;
    planned_failure planned_;
    std::uint64_t failing_allocation_ = 0;
    std::function<void(std::uint64_t)> on_turn_;
};

}  // namespace ringlet::testing
