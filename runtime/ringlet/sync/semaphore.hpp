// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/sync/detail/wait_list.hpp>

#include <cstddef>
#include <limits>
#include <string_view>

namespace ringlet {

class semaphore;

namespace detail {

class acquire_wait final : public leaf<acquire_wait, void> {
public:
    explicit acquire_wait(semaphore& what) noexcept : semaphore_{&what} {}
    static constexpr std::string_view name = "a semaphore";
    bool start(job_block& job) noexcept;
    result<void> outcome(job_block&) const noexcept { return {}; }

private:
    semaphore* semaphore_;
};

}  // namespace detail

/// A number of permits; who acquires one when there is none waits, first come, first served. Thread: the loop's thread only.
class semaphore {
public:
    explicit semaphore(std::size_t permits) noexcept : permits_{permits} {}
    semaphore(const semaphore&) = delete;
    semaphore& operator=(const semaphore&) = delete;

    /// Waits for a permit and takes it.
    /// Errors: `cancelled`, and then none was taken. Lifetime: the semaphore outlives the wait. A permit taken in a
    /// `first_of` that another won is lost: acquire outside of it.
    auto acquire() noexcept { return detail::acquire_wait{*this}; }
    bool try_acquire() noexcept {
        if (permits_ == 0) return false;
        --permits_;
        return true;
    }
    /// Gives `count` permits, to those who wait longest first.
    /// Errors: a bounded_semaphore throws std::logic_error, and gives none, when there would be more than at the beginning.
    void release(std::size_t count = 1);
    /// Permits that nobody holds.
    std::size_t available() const noexcept { return permits_; }

protected:
    semaphore(std::size_t permits, std::size_t permits_max) noexcept : permits_{permits}, permits_max_{permits_max} {}

private:
    friend detail::acquire_wait;
    detail::wait_list waiters_;
    std::size_t permits_;
    std::size_t permits_max_ = std::numeric_limits<std::size_t>::max();
};

/// A semaphore that can never have more permits than at the beginning: releasing too often is a mistake, and thrown.
class bounded_semaphore : public semaphore {
public:
    explicit bounded_semaphore(std::size_t permits) noexcept : semaphore{permits, permits} {}
};

}  // namespace ringlet
