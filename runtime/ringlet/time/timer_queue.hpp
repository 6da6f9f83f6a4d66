// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/job_block.hpp>
#include <ringlet/core/scheduler.hpp>
#include <ringlet/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace ringlet::detail {

/// What to do with the owner of a timer that is due.
enum class timer_owner : std::uintptr_t { sleeping_job = 0, limit_scope = 1 };

/// The armed timers of a loop: a 4-ary heap of 16-byte entries, four children to a cache line. The owner keeps its
/// entry's position, so disarming needs no search. (Kernel timers would cost a request and a completion each; see
/// docs/decisions/timers.md.)
class timer_queue {
public:
    timer_queue() = default;
    timer_queue(const timer_queue&) = delete;
    timer_queue& operator=(const timer_queue&) = delete;

    /// May throw std::bad_alloc; then nothing is armed.
    void arm(timer_node& node, timer_owner owner, deadline when);
    void disarm(timer_node& node) noexcept;

    bool empty() const noexcept { return heap_.size() <= root; }
    deadline next() const noexcept { return deadline{clock::duration{heap_[root].when}}; }

    /// Ends the waits of all owners whose time has come, earliest first; at equal times in no particular order. Limits get
    /// the grace that is given instead.
    void fire_due(deadline now, scheduler& loop, std::chrono::nanoseconds grace = {}) noexcept;

    /// Where virtual time is kept; null for the real clock.
    const deadline* virtual_now = nullptr;

private:
    struct entry {
        std::int64_t when;
        std::uintptr_t tagged;  // timer_node* | timer_owner
        timer_node& node() const noexcept { return *reinterpret_cast<timer_node*>(tagged & ~std::uintptr_t{3}); }
        timer_owner owner() const noexcept { return static_cast<timer_owner>(tagged & 3); }
    };
    template <class T>
    struct line_allocator {
        using value_type = T;
        line_allocator() = default;
        template <class U>
        line_allocator(const line_allocator<U>&) noexcept {}
        T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{64})); }
        void deallocate(T* p, std::size_t n) noexcept { ::operator delete(p, n * sizeof(T), std::align_val_t{64}); }
        bool operator==(const line_allocator&) const noexcept { return true; }
    };

    // Index 3 is the root, so that the children of any entry, 4(i-2) to 4(i-2)+3, share one cache line.
    static constexpr std::size_t root = 3;
    static std::size_t parent(std::size_t i) noexcept { return i / 4 + 2; }
    static std::size_t first_child(std::size_t i) noexcept { return 4 * (i - 2); }

    void place(std::size_t at, const entry& e) noexcept {
        heap_[at] = e;
        e.node().position = static_cast<std::uint32_t>(at);
    }
    void sift_up(std::size_t at, entry e) noexcept;
    void sift_down(std::size_t at, entry e) noexcept;
    void remove(std::size_t at) noexcept;

    std::vector<entry, line_allocator<entry>> heap_{root};
};

}  // namespace ringlet::detail
