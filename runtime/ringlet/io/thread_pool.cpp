// SPDX-License-Identifier: MIT
#include <ringlet/io/engine.hpp>
#include <ringlet/io/quiet_thread.hpp>
#include <ringlet/io/thread_pool.hpp>

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
    try {
        threads_.reserve(threads_max);  // once it runs, there must be a place for it
        threads_.push_back(quiet_thread([this] { serve(); }));
    } catch (...) {
        if (threads_.empty()) throw;  // otherwise those there are will do
    }
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
