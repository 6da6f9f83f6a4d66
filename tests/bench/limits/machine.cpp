// SPDX-License-Identifier: MIT
// What this machine charges everybody: absolute figures can only be read beside these.
#include "common/measure.hpp"

#include <cstddef>
#include <cstdio>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

double system_call_ns() {
    constexpr int count = 200'000;
    const auto start = bench::clock::now();
    for (int i = 0; i < count; ++i) ::syscall(SYS_getppid);
    return bench::nanoseconds_since(start) / count;
}

double first_touch_ns() {
    constexpr std::size_t page = 4096;
    constexpr std::size_t pages = 8192;
    void* memory = ::mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 0;
    ::madvise(memory, pages * page, MADV_NOHUGEPAGE);
    const auto start = bench::clock::now();
    for (std::size_t i = 0; i < pages; ++i) static_cast<volatile char*>(memory)[i * page] = 1;
    const double taken = bench::nanoseconds_since(start) / pages;
    ::munmap(memory, pages * page);
    return taken;
}

}  // namespace

int main() {
    bench::print_summary("null system call", "ns", bench::repeat(5, system_call_ns));
    bench::print_summary("first touch of a 4 KiB page", "ns", bench::repeat(5, first_touch_ns));
}
