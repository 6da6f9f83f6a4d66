// SPDX-License-Identifier: MIT
// Runs a program and writes down what it cost: wall and CPU seconds, and the most that it had resident, in bytes.
// A small program, because the peak of a child begins with what the parent had when it forked: about 1 MiB here.
//
// Try it:  bench-cost REPORT PROGRAM [ARGUMENT...]
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

double now() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double seconds(const timeval& time) noexcept {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

int fail(const char* what) noexcept {
    std::fprintf(stderr, "bench-cost: %s: %s\n", what, std::strerror(errno));
    return 127;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: bench-cost REPORT PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    const double began = now();
    const pid_t child = ::fork();
    if (child < 0) return fail("fork");
    if (child == 0) {
        ::execvp(argv[2], argv + 2);
        ::_exit(fail(argv[2]));
    }
    int status = 0;
    rusage used{};
    while (::wait4(child, &status, 0, &used) < 0)
        if (errno != EINTR) return fail("wait4");
    const double wall = now() - began;
    std::FILE* const report = std::fopen(argv[1], "w");
    if (report == nullptr) return fail(argv[1]);
    std::fprintf(report, "{\"wall\": %.6f, \"cpu\": %.6f, \"peak_bytes\": %ld}\n", wall,
                 seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss * 1024L);
    std::fclose(report);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
