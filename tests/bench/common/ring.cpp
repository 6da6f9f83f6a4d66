// SPDX-License-Identifier: MIT
#include "common/ring.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

namespace bench {
namespace {

[[noreturn]] void fail(const char* what, int error) {
    fmt::print(stderr, "{}: {}\n", what, std::strerror(error));
    std::exit(2);
}

void* map(std::size_t bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap", errno);
    // A huge page under the buffers would make the resident size depend on the machine's setting.
    ::madvise(memory, bytes, MADV_NOHUGEPAGE);
    return memory;
}

void cpu_relax() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace

ring::ring(unsigned entries, unsigned completions) {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                   IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = completions;
    if (const int result = io_uring_queue_init_params(entries, &ring_, &params); result < 0)
        fail("io_uring_setup (Linux 6.1 is needed)", -result);
    io_uring_register_ring_fd(&ring_);
}

ring::~ring() { io_uring_queue_exit(&ring_); }

void ring::submit() {
    const int result = io_uring_submit(&ring_);
    if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) fail("io_uring_enter", -result);
}

io_uring_sqe* ring::entry() {
    for (;;) {
        if (io_uring_sqe* sqe = io_uring_get_sqe(&ring_)) return sqe;
        submit();
    }
}

void ring::submit_and_wait(std::uint64_t spin_ns) {
    if (spin_ns != 0) {
        using clock = std::chrono::steady_clock;
        if (io_uring_sq_ready(&ring_) != 0) submit();
        const auto give_up = clock::now() + std::chrono::nanoseconds{spin_ns};
        for (unsigned round = 0; round % 16 != 15 || clock::now() < give_up; ++round) {
            if (io_uring_cq_ready(&ring_) != 0) return;
            if ((IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_TASKRUN) != 0) break;
            cpu_relax();
        }
    }
    const int result = io_uring_submit_and_wait(&ring_, 1);
    if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) fail("io_uring_enter", -result);
}

buffer_pool::buffer_pool(ring& owner, unsigned count, std::size_t bytes_each)
    : owner_{owner}, count_{count}, bytes_each_{bytes_each} {
    entries_ = static_cast<io_uring_buf_ring*>(map(count * sizeof(io_uring_buf)));
    memory_ = static_cast<std::byte*>(map(count * bytes_each));
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries_);
    registration.ring_entries = count;
    registration.bgid = group;
    if (const int result = io_uring_register_buf_ring(owner_.get(), &registration, 0); result < 0)
        fail("io_uring_register_buf_ring", -result);
    io_uring_buf_ring_init(entries_);
    for (unsigned id = 0; id < count_; ++id) recycle(id);
    publish();
}

buffer_pool::~buffer_pool() {
    io_uring_unregister_buf_ring(owner_.get(), group);
    ::munmap(memory_, count_ * bytes_each_);
    ::munmap(entries_, count_ * sizeof(io_uring_buf));
}

void buffer_pool::recycle(unsigned id) noexcept {
    io_uring_buf_ring_add(entries_, data(id), static_cast<unsigned>(bytes_each_), static_cast<unsigned short>(id),
                          io_uring_buf_ring_mask(count_), recycled_++);
}

void buffer_pool::publish() noexcept {
    if (recycled_ == 0) return;
    io_uring_buf_ring_advance(entries_, recycled_);
    recycled_ = 0;
}

}  // namespace bench
