// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/sync/detail/wait_list.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace ringlet {

class mutex;
namespace detail {
class lock_wait;
}

/// Holds a mutex, and unlocks it when destroyed.
class [[nodiscard("the mutex is unlocked again at once")]] mutex_guard {
public:
    mutex_guard(mutex_guard&& other) noexcept : mutex_{std::exchange(other.mutex_, nullptr)} {}
    mutex_guard& operator=(mutex_guard&& other) noexcept {
        if (this != &other) {
            unlock();
            mutex_ = std::exchange(other.mutex_, nullptr);
        }
        return *this;
    }
    ~mutex_guard() { unlock(); }

    void unlock() noexcept;
    bool owns_lock() const noexcept { return mutex_ != nullptr; }
    ringlet::mutex* mutex() const noexcept { return mutex_; }

private:
    friend class ringlet::mutex;
    friend detail::lock_wait;
    explicit mutex_guard(ringlet::mutex& held) noexcept : mutex_{&held} {}
    ringlet::mutex* mutex_;
};

namespace detail {

class lock_wait final : public leaf<lock_wait, mutex_guard> {
public:
    explicit lock_wait(mutex& what) noexcept : mutex_{&what} {}
    static constexpr std::string_view name = "a mutex";
    bool start(job_block& job) noexcept;
    mutex_guard outcome(job_block& job) const noexcept;

private:
    mutex* mutex_;
};

}  // namespace detail

/// Held by one job at a time, for what must stay whole over awaits. (Between two awaits nothing else runs: no lock is
/// needed there.) First come, first served: who unlocks hands over to the job that waits longest. Not recursive.
/// Thread: the loop's thread only.
class mutex {
public:
    mutex() noexcept = default;
    mutex(const mutex&) = delete;
    mutex& operator=(const mutex&) = delete;

    /// Waits until the mutex is free, and takes it.
    /// Result:    a guard. One that is dropped, as by a `first_of` that another won, unlocks.
    /// Errors:    `cancelled`, and then it is not held. Locking what the job holds already waits for ever: a deadlock report
    ///            names the holder.
    /// Lifetime:  the mutex outlives guard and wait.
    auto lock() noexcept { return detail::lock_wait{*this}; }
    /// Takes it unless it is held.
    std::optional<mutex_guard> try_lock() noexcept;
    bool locked() const noexcept { return locked_; }

private:
    friend mutex_guard;
    friend detail::lock_wait;
    static void describe(const detail::job_block& waiting, std::string& out);
    static void describe_in_handler(const detail::job_block& waiting, const detail::plain_writer& out) noexcept;
    void note_holder(detail::job_block* job) noexcept {
        holder_ = job;
        if (job) holder_serial_ = job->serial();
    }
    void unlock() noexcept;

    detail::wait_list waiters_;
    // For reports: the job that took it last. A guard may outlive it, and another job get its block.
    const detail::job_block* holder_ = nullptr;
    std::uint32_t holder_serial_ = 0;
    bool locked_ = false;
};

namespace detail {

inline bool lock_wait::start(job_block& job) noexcept {
    static constexpr wait_kind waiting{.name = name,
                                       .cancel = &wait_list::cancel,
                                       .describe = &mutex::describe,
                                       .describe_in_handler = &mutex::describe_in_handler};
    if (!mutex_->locked_) {
        mutex_->locked_ = true;
        mutex_->note_holder(&job);
        return suspend_once(job);
    }
    mutex_->waiters_.add(job, waiting, mutex_);
    return true;
}

inline mutex_guard lock_wait::outcome(job_block&) const noexcept { return mutex_guard{*mutex_}; }

}  // namespace detail

inline void mutex::unlock() noexcept {
    detail::job_block* const next = waiters_.first();
    note_holder(next);
    if (next)
        detail::wait_list::wake(*next);  // it is the next one's before that runs
    else
        locked_ = false;
}

inline void mutex_guard::unlock() noexcept {
    if (auto* const held = std::exchange(mutex_, nullptr)) held->unlock();
}

}  // namespace ringlet
