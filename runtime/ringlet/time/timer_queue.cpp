// SPDX-License-Identifier: MIT
#include <ringlet/time/later.hpp>
#include <ringlet/time/limit_scope.hpp>
#include <ringlet/time/timer_queue.hpp>

#include <ctime>

namespace ringlet {

namespace {

clock::time_point read(clockid_t which) noexcept {
    const auto* loop = detail::this_thread_scheduler;
    if (loop && loop->timers && loop->timers->virtual_now) return *loop->timers->virtual_now;
    timespec ts{};
    ::clock_gettime(which, &ts);
    return clock::time_point{std::chrono::seconds{ts.tv_sec} + std::chrono::nanoseconds{ts.tv_nsec}};
}

}  // namespace

clock::time_point clock::now() noexcept { return read(CLOCK_MONOTONIC); }
clock::time_point clock::coarse_now() noexcept { return read(CLOCK_MONOTONIC_COARSE); }

deadline deadline_after(std::chrono::nanoseconds after) noexcept { return detail::later(clock::now(), after); }
deadline coarse_deadline_after(std::chrono::nanoseconds after) noexcept {
    return detail::later(clock::coarse_now(), after);
}

namespace detail {

void timer_queue::arm(timer_node& node, timer_owner owner, deadline when) {
    require(!node.armed(), "a timer was armed twice");
    const entry e{when.time_since_epoch().count(),
                  reinterpret_cast<std::uintptr_t>(&node) | static_cast<std::uintptr_t>(owner)};
    heap_.push_back(e);
    sift_up(heap_.size() - 1, e);
}

void timer_queue::disarm(timer_node& node) noexcept {
    if (node.armed()) remove(node.position);
}

void timer_queue::fire_due(deadline now, scheduler& loop, std::chrono::nanoseconds grace) noexcept {
    while (!empty() && heap_[root].when <= now.time_since_epoch().count()) {
        const entry due = heap_[root];
        if (grace.count() > 0 && due.owner() == timer_owner::limit_scope) [[unlikely]] {
            sift_down(root, {(now + grace).time_since_epoch().count(), due.tagged});
            continue;
        }
        remove(root);
        if (due.owner() == timer_owner::sleeping_job)
            loop.make_ready(job_block::from_timer(due.node()));
        else
            limit_scope::expire(due.node());
    }
}

void timer_queue::sift_up(std::size_t at, entry e) noexcept {
    while (at > root && heap_[parent(at)].when > e.when) {
        place(at, heap_[parent(at)]);
        at = parent(at);
    }
    place(at, e);
}

void timer_queue::sift_down(std::size_t at, entry e) noexcept {
    const std::size_t end = heap_.size();
    for (;;) {
        const std::size_t first = first_child(at);
        if (first >= end) break;
        std::size_t least = first;
        const std::size_t last = first + 4 < end ? first + 4 : end;
        for (std::size_t i = first + 1; i < last; ++i)
            if (heap_[i].when < heap_[least].when) least = i;
        if (heap_[least].when >= e.when) break;
        place(at, heap_[least]);
        at = least;
    }
    place(at, e);
}

void timer_queue::remove(std::size_t at) noexcept {
    heap_[at].node().position = timer_node::unarmed;
    const entry last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    if (at > root && heap_[parent(at)].when > last.when)
        sift_up(at, last);
    else
        sift_down(at, last);
}

}  // namespace detail
}  // namespace ringlet
