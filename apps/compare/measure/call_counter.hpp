// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/os/thread.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include <sys/types.h>

namespace comparison {

/// Counts the system calls of a process and of all that it starts from now on, in all its threads. It stops at each of them,
/// and is much slower for it: nothing else should be measured meanwhile.
/// Maps to: ptrace(2), PTRACE_SEIZE; needs no privilege for one's own children.
class call_counter {
public:
    explicit call_counter(pid_t of) : shared_{std::make_unique<shared>()}, tracer_{trace, std::ref(*shared_), of} {}
    call_counter(call_counter&&) noexcept = default;
    ~call_counter();

    /// Nothing escapes it from now on; or it may not be traced, see `failure`.
    bool is_ready() const noexcept { return shared_->is_ready; }
    /// So far.
    std::uint64_t calls() const noexcept { return shared_->calls; }
    /// errno of the ptrace(2) that failed; 0: it works.
    int failure() const noexcept { return shared_->failure; }

private:
    struct shared {
        std::atomic<std::uint64_t> calls = 0;
        std::atomic<int> failure = 0;
        std::atomic<bool> is_ready = false;
        std::atomic<bool> is_over = false;
    };
    static void trace(shared& all, pid_t of);

    std::unique_ptr<shared> shared_;
    ringlet::os::thread<> tracer_;
};

}  // namespace comparison
