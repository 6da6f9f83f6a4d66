// SPDX-License-Identifier: MIT
#include <ringlet/io/report_bell.hpp>

#include <array>
#include <cerrno>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

namespace ringlet::io::detail {
namespace {

// An eventfd, plus 1: what is not initialised is free.
std::array<std::atomic<int>, 256> places{};
static_assert(std::atomic<int>::is_always_lock_free);

// Handlers that are about to write. Who takes a descriptor away waits for them: a handler that has not seen that it is
// gone has counted itself before, in the one order of all these operations.
std::atomic<int> ringing = 0;

// Whose descriptors these are. A child of fork(2) has copies of the places, which mean nothing there.
std::atomic<pid_t> owner = 0;

void forget_in_child() noexcept {
    for (auto& place : places) place = 0;
    ringing = 0;  // the threads that ring are the parent's
    owner = ::getpid();
}

}  // namespace

void ask_for_reports() noexcept {
    ++reports_asked;
    if (owner != ::getpid()) return;
    const int before = errno;
    ++ringing;
    for (const auto& place : places) {
        const int eventfd = place - 1;
        if (eventfd < 0) continue;
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(eventfd, &one, sizeof one);  // lint-ok: never in a simulation
    }
    --ringing;
    errno = before;
}

report_bell::report_bell(int eventfd) noexcept : eventfd_{eventfd} {
    [[maybe_unused]] static const int once = [] {
        owner = ::getpid();
        return ::pthread_atfork(nullptr, nullptr, &forget_in_child);
    }();
    for (auto& place : places) {
        int free = 0;
        if (!place.compare_exchange_strong(free, eventfd + 1)) continue;
        place_ = &place;
        return;
    }
}

report_bell::~report_bell() {
    if (!place_) return;
    int mine = eventfd_ + 1;  // in a child it is not
    place_->compare_exchange_strong(mine, 0);
    while (ringing != 0) ::sched_yield();
}

}  // namespace ringlet::io::detail
