// SPDX-License-Identifier: MIT
#include <ringlet/io/private_fd.hpp>
#include <ringlet/io/system_calls.hpp>

#include <mutex>

#include <pthread.h>
#include <unistd.h>

namespace ringlet::io {
namespace {

std::mutex list_lock;
closed_on_fork* first = nullptr;

}  // namespace

closed_on_fork::closed_on_fork(int& fd) noexcept : fd_{&fd} {
    // The child has this thread only: with the lock held across the fork, the list is whole there.
    [[maybe_unused]] static const int once = ::pthread_atfork([] { list_lock.lock(); }, [] { list_lock.unlock(); },
                                                              [] {
                                                                  close_all();
                                                                  list_lock.unlock();
                                                              });
    const std::lock_guard hold{list_lock};
    next_ = first;
    if (next_) next_->previous_ = this;
    first = this;
}

closed_on_fork::~closed_on_fork() {
    const std::lock_guard hold{list_lock};
    (previous_ ? previous_->next_ : first) = next_;
    if (next_) next_->previous_ = previous_;
}

void closed_on_fork::close_all() noexcept {
    for (closed_on_fork* entry = first; entry; entry = entry->next_) {
        if (*entry->fd_ >= 0) ::close(*entry->fd_);  // lint-ok: what the simulation gave is not among them
        *entry->fd_ = -1;
    }
}

// The simulation's descriptors are numbers that mean something else to the operating system.
void private_fd::take(int fd) noexcept {
    fd_ = fd;
    if (fd >= 0 && !sys::simulated) guard_.emplace(fd_);
}

}  // namespace ringlet::io
