// SPDX-License-Identifier: MIT
#include <ringlet/io/engine.hpp>
#include <ringlet/io/thread_pool.hpp>

#include <system_error>

#include <pthread.h>
#include <signal.h>

namespace ringlet::io {

std::unique_ptr<thread_pool> engine::make_threads() { return std::make_unique<thread_pool>(); }

thread_pool::~thread_pool() {
    {
        const std::lock_guard hold{lock_};
        ending_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
}

void thread_pool::start_thread() {
    // A thread inherits the mask: signals stay with the threads that run loops.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        threads_.emplace_back([this] { serve(); });
    } catch (...) {
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        if (threads_.empty()) throw;
        return;  // the threads there are will do
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void thread_pool::submit(work_item& work) {
    const std::lock_guard hold{lock_};
    if (idle_ <= queued_ && threads_.size() < threads_max) start_thread();
    work.next = nullptr;
    work.previous = last_;
    work.queued = true;
    (last_ ? last_->next : first_) = &work;
    last_ = &work;
    ++queued_;
    wake_.notify_one();
}

void thread_pool::unlink(work_item& work) noexcept {
    (work.previous ? work.previous->next : first_) = work.next;
    (work.next ? work.next->previous : last_) = work.previous;
    work.queued = false;
    --queued_;
}

bool thread_pool::try_remove(work_item& work) noexcept {
    const std::lock_guard hold{lock_};
    if (!work.queued) return false;
    unlink(work);
    return true;
}

void thread_pool::serve() noexcept {
    std::unique_lock hold{lock_};
    for (;;) {
        ++idle_;
        wake_.wait(hold, [this] { return first_ != nullptr || ending_; });
        --idle_;
        if (first_ == nullptr) return;
        work_item& work = *first_;
        unlink(work);
        hold.unlock();
        work.run(work);
        hold.lock();
    }
}

}  // namespace ringlet::io
