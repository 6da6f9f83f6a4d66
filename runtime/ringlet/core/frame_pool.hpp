// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define RINGLET_DETAIL_FRAME_POOL 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RINGLET_DETAIL_FRAME_POOL 0
#endif
#endif
#ifndef RINGLET_DETAIL_FRAME_POOL
#define RINGLET_DETAIL_FRAME_POOL 1
#endif

namespace ringlet::detail {

/// Per-thread free lists of coroutine frames and job blocks, in size classes of 16 B up to 2 KiB; larger ones come from
/// operator new. Memory is kept for the thread's next frames and, when the thread ends, for other threads'; it is not
/// given back. Under AddressSanitizer every frame comes from operator new, so that the sanitizer sees each one.
struct frame_pool {
    static constexpr std::size_t granule_bytes = 16;
    static constexpr std::size_t pooled_bytes_max = 2048;
    static constexpr std::size_t classes = pooled_bytes_max / granule_bytes + 1;

    struct free_node {
        free_node* next;
    };

    std::array<free_node*, classes> free{};
    std::byte* fresh = nullptr;
    std::byte* fresh_end = nullptr;
    std::int64_t live = 0;
    /// Larger ones come from operator new; 0 while `watch` is asked about each, for tests of what happens without memory.
    /// Both change only while no frame of this thread is alive.
    std::size_t pooled_classes = RINGLET_DETAIL_FRAME_POOL ? classes : 0;
    void (*watch)() = nullptr;

    static void* allocate(std::size_t bytes);
    static void release(void* memory, std::size_t bytes) noexcept;

    /// Frames and blocks of this thread that are alive now: zero when a loop has ended well.
    static std::int64_t live_count() noexcept;

    void* allocate_slow(std::size_t rounded);
};

inline constinit thread_local frame_pool this_thread_pool{};

inline std::int64_t frame_pool::live_count() noexcept { return this_thread_pool.live; }

inline void* frame_pool::allocate(std::size_t bytes) {
    frame_pool& pool = this_thread_pool;
    const std::size_t index = (bytes + granule_bytes - 1) / granule_bytes;
    if (index >= pool.pooled_classes) [[unlikely]] {
        if (pool.watch) pool.watch();
        void* memory = ::operator new(bytes);
        ++pool.live;
        return memory;
    }
    if (free_node* node = pool.free[index]) [[likely]] {
        pool.free[index] = node->next;
        ++pool.live;
        return node;
    }
    const std::size_t rounded = index * granule_bytes;
    if (static_cast<std::size_t>(pool.fresh_end - pool.fresh) >= rounded) {
        void* memory = pool.fresh;
        pool.fresh += rounded;
        ++pool.live;
        return memory;
    }
    return pool.allocate_slow(rounded);
}

inline void frame_pool::release(void* memory, std::size_t bytes) noexcept {
    frame_pool& pool = this_thread_pool;
    --pool.live;
    const std::size_t index = (bytes + granule_bytes - 1) / granule_bytes;
    if (index >= pool.pooled_classes) [[unlikely]] {
        ::operator delete(memory);
        return;
    }
    auto* node = static_cast<free_node*>(memory);
    node->next = pool.free[index];
    pool.free[index] = node;
}

/// Base of what lives in the pool: coroutine frames, by their promise, and other things of a job's size.
struct in_frame_pool {
    static void* operator new(std::size_t bytes) { return frame_pool::allocate(bytes); }
    static void operator delete(void* memory, std::size_t bytes) noexcept { frame_pool::release(memory, bytes); }
};

}  // namespace ringlet::detail
