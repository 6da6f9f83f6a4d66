// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace ringlet::io {

/// A call to be made on some thread. Belongs to the submitter, who keeps it alive until it has run.
struct work_item {
    explicit work_item(void (*function)(work_item&) noexcept) noexcept : run{function} {}
    void (*run)(work_item&) noexcept;
    work_item* next = nullptr;
    work_item* previous = nullptr;
    bool queued = false;
};

/// A few threads for calls that block. Threads start when they are needed, block every signal, and end with the pool,
/// after all submitted work.
class thread_pool {
public:
    static constexpr std::size_t threads_max = 4;

    thread_pool() = default;
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    virtual ~thread_pool();

    /// Queues `work`, first in, first out. Errors: std::system_error when not even one thread can be started.
    virtual void submit(work_item& work);

    /// Takes `work` out of the queue, unless a thread has begun it: then it will be run to its end.
    /// Result: whether it was taken out.
    virtual bool try_remove(work_item& work) noexcept;

private:
    void start_thread();
    void unlink(work_item& work) noexcept;
    void serve() noexcept;

    std::mutex lock_;
    std::condition_variable wake_;
    work_item* first_ = nullptr;
    work_item* last_ = nullptr;
    std::size_t queued_ = 0;
    std::size_t idle_ = 0;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace ringlet::io
