// SPDX-License-Identifier: MIT
#include <ringlet/core/frame_pool.hpp>

#include <algorithm>
#include <mutex>
#include <vector>

#include <pthread.h>
#include <sys/mman.h>

namespace ringlet::detail {
namespace {

// Chunks double from 64 KiB to 1 MiB, so that a small program stays small; from 16 MiB on they come as huge pages, so
// that a million tasks cost few page faults.
constexpr std::size_t first_chunk_bytes = std::size_t{64} << 10;
constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;
constexpr std::size_t small_chunk_bytes_max = std::size_t{1} << 20;
constexpr std::size_t small_chunks_bytes_max = std::size_t{16} << 20;

// What ended threads leave behind. A frame may be freed on another thread than the one that made it, so no chunk is
// ever unmapped; the next thread that needs memory takes a whole pool over.
struct orphanage {
    std::mutex lock;
    std::vector<frame_pool> pools;
};
orphanage& orphans() {
    static auto* const all = [] {
        // A child of fork(2) made while another thread held the lock could never take it.
        ::pthread_atfork([] { orphans().lock.lock(); }, [] { orphans().lock.unlock(); },
                         [] { orphans().lock.unlock(); });
        return new orphanage;  // never destroyed: threads may end after main
    }();
    return *all;
}

struct thread_guard {
    std::size_t chunk_bytes = first_chunk_bytes;
    std::size_t mapped_bytes = 0;
    ~thread_guard() {
        frame_pool& pool = this_thread_pool;
        const std::lock_guard hold{orphans().lock};
        orphans().pools.push_back(pool);
        pool = frame_pool{.live = pool.live};
    }
};

bool adopt(frame_pool& pool) {
    const std::lock_guard hold{orphans().lock};
    if (orphans().pools.empty()) return false;
    const auto live = pool.live;
    pool = orphans().pools.back();
    pool.live = live;
    orphans().pools.pop_back();
    return true;
}

void* map(std::size_t bytes) noexcept {
    return ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

}  // namespace

void* frame_pool::allocate_slow(std::size_t rounded) {
    static thread_local thread_guard guard;
    const bool untouched = fresh == nullptr && std::ranges::all_of(free, [](auto* list) { return list == nullptr; });
    if (untouched && adopt(*this)) return allocate(rounded);

    const bool many = guard.mapped_bytes >= small_chunks_bytes_max;
    std::size_t bytes = many ? 2 * huge_page_bytes : guard.chunk_bytes;
    void* chunk = map(bytes);
    if (chunk == MAP_FAILED) chunk = map(bytes = first_chunk_bytes);  // near the limit a little may still be had
    if (chunk == MAP_FAILED) throw std::bad_alloc{};
    guard.mapped_bytes += bytes;
    if (!many) guard.chunk_bytes = std::min(bytes * 2, small_chunk_bytes_max);
    if (bytes > small_chunk_bytes_max) ::madvise(chunk, bytes, MADV_HUGEPAGE);

    // What is left of the old chunk is not lost: it becomes one free frame of its own size. Only now: before, it would be
    // given out twice when there is no new one.
    if (const auto left = static_cast<std::size_t>(fresh_end - fresh) / granule_bytes; left > 0) {
        auto* node = reinterpret_cast<free_node*>(fresh);
        node->next = free[left];
        free[left] = node;
    }
    fresh = static_cast<std::byte*>(chunk);
    fresh_end = fresh + bytes;
    return allocate(rounded);
}

}  // namespace ringlet::detail
