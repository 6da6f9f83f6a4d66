// SPDX-License-Identifier: MIT
// What a process costs, seen from outside (or by itself), and on which core it runs.
#pragma once

#include <chrono>
#include <cstdint>

#include <sys/types.h>

namespace bench {

/// Pins the calling thread; exits with a message when there is no such core.
void pin_to_core(int core);

/// Raises the soft limit of open files to the hard one.
void raise_file_limit();

/// CPU time of all threads of a process, also those that have ended, in nanoseconds. Exact to the moment of the call,
/// which /proc/PID/schedstat of a thread that is running is not.
class cpu_clock {
public:
    explicit cpu_clock(pid_t pid);
    [[nodiscard]] std::chrono::nanoseconds now() const;

private:
    clockid_t clock_ = 0;
};

/// Resident bytes, summed by the kernel over the page tables (smaps_rollup), so exact; 0 when it cannot be read.
[[nodiscard]] std::uint64_t resident_bytes(pid_t pid);

/// The most that this process ever had resident. Not ru_maxrss: that one survives exec and shows the parent's.
[[nodiscard]] std::uint64_t peak_resident_bytes();

}  // namespace bench
