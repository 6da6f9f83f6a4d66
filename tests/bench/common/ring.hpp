// SPDX-License-Identifier: MIT
// liburing with the set-up that the limit programs and the load generator share: nothing of the runtime is in here.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>

namespace bench {

class ring {
public:
    /// Exits with a message when the kernel refuses (Linux 6.1 is needed).
    ring(unsigned entries, unsigned completions);
    ~ring();
    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;

    io_uring* get() noexcept { return &ring_; }

    /// A free submission entry; submits what is queued when there is none.
    io_uring_sqe* entry();

    /// Submits and waits for one completion. With a spin, looks at the shared memory that long before it sleeps: the
    /// kernel raises IORING_SQ_TASKRUN there when it has something for us, so looking needs no system call.
    void submit_and_wait(std::uint64_t spin_ns = 0);

private:
    void submit();

    io_uring ring_{};
};

/// A provided-buffer ring of `count` buffers (a power of two). Memory is touched only as the kernel fills it.
class buffer_pool {
public:
    static constexpr std::uint16_t group = 1;

    buffer_pool(ring& owner, unsigned count, std::size_t bytes_each);
    ~buffer_pool();
    buffer_pool(const buffer_pool&) = delete;
    buffer_pool& operator=(const buffer_pool&) = delete;

    [[nodiscard]] std::byte* data(unsigned id) noexcept { return memory_ + id * bytes_each_; }
    [[nodiscard]] unsigned size() const noexcept { return count_; }

    /// Hands a buffer back; the kernel sees it at the next publish().
    void recycle(unsigned id) noexcept;
    void publish() noexcept;

private:
    ring& owner_;
    unsigned count_;
    std::size_t bytes_each_;
    int recycled_ = 0;
    io_uring_buf_ring* entries_ = nullptr;
    std::byte* memory_ = nullptr;
};

}  // namespace bench
