// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/thread_pool.hpp>

#include <liburing.h>

#include <cstdint>
#include <linux/openat2.h>
#include <string>

namespace ringlet::io::detail {

/// openat2(2) as the ring does it: a FIFO is opened without waiting for its other end. Where a filter or an old kernel has
/// no openat2, openat(2), unless `how` asks for more than that can do. Result: a descriptor, or -1 and errno.
int open_at_once(int directory, const char* path, open_how how) noexcept;

/// A request that blocks, done by a thread of the pool. Keeps the strings, which the caller need not.
struct file_call : work_item {
    file_call(const io_uring_sqe& asked, void (*run)(work_item&) noexcept);

    /// Makes the call; gives its result or -errno. Thread: any.
    std::int32_t make() noexcept;

    io_uring_sqe sqe;
    std::string path;
    std::string new_path;
    open_how how{};
    std::int32_t res = 0;
    void* owner = nullptr;
    void* of_request = nullptr;
    file_call* next_done = nullptr;
};

}  // namespace ringlet::io::detail
