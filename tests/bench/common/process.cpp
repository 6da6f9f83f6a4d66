// SPDX-License-Identifier: MIT
#include "common/process.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace bench {
namespace {

[[noreturn]] void fail(const std::string& what) {
    fmt::print(stderr, "{}\n", what);
    std::exit(2);
}

std::uint64_t kilobytes_field(const std::string& path, const std::string& name) {
    std::ifstream file{path};
    for (std::string word; file >> word;) {
        std::uint64_t value = 0;
        if (word == name && file >> value) return value * 1024;
    }
    return 0;
}

}  // namespace

void pin_to_core(int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<std::size_t>(core), &cores);
    if (::sched_setaffinity(0, sizeof cores, &cores) != 0)
        fail(fmt::format("cannot run on core {}: {}", core, std::strerror(errno)));
}

void raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

cpu_clock::cpu_clock(pid_t pid) {
    if (const int error = ::clock_getcpuclockid(pid, &clock_); error != 0)
        fail(fmt::format("no CPU clock of process {}: {}", pid, std::strerror(error)));
}

std::chrono::nanoseconds cpu_clock::now() const {
    timespec time{};
    if (::clock_gettime(clock_, &time) != 0) fail(fmt::format("the server has ended: {}", std::strerror(errno)));
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

std::uint64_t resident_bytes(pid_t pid) { return kilobytes_field(fmt::format("/proc/{}/smaps_rollup", pid), "Rss:"); }

std::uint64_t peak_resident_bytes() { return kilobytes_field("/proc/self/status", "VmHWM:"); }

}  // namespace bench
