// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/detail/join.hpp>

#include <string_view>

namespace ringlet::detail {

/// Gives jobs in the order in which they end, to one job at a time. Whoever puts jobs in has those that have not ended
/// forgotten again before it goes.
class ended_jobs {
public:
    ended_jobs() noexcept { waiter_.ended = &ended_; }
    ended_jobs(const ended_jobs&) = delete;
    ended_jobs& operator=(const ended_jobs&) = delete;
    ~ended_jobs() { clear(); }

    void watch(job_block& target) noexcept {
        if (!target.has(job_block::done)) {
            waiter_.watch(target);
        } else {
            require(!target.link.linked(), "two jobs join the same job: let one of them tell the other");
            target.link.insert_before(ended_);
        }
    }
    void forget(job_block& target) noexcept {
        if (target.joiner == &waiter_) target.joiner = nullptr;
    }
    /// Lets go of those that have ended and were not taken.
    void clear() noexcept {
        while (take()) {
        }
    }
    /// The job that ended first; null when none has. It does not count as joined.
    job_block* take() noexcept {
        if (ended_.next == &ended_) return nullptr;
        list_link& first = *ended_.next;
        first.unlink();
        return &job_block::from_link(first);
    }

    class next_wait;
    /// Waits until there is something to take.
    next_wait next() noexcept;

private:
    list_link ended_{&ended_, &ended_};
    join_waiter waiter_;
};

class [[nodiscard("nothing happens until this is awaited")]] ended_jobs::next_wait final
    : public leaf<next_wait, void> {
public:
    explicit next_wait(ended_jobs& of) noexcept : of_{&of} {}
    static constexpr std::string_view name = "the end of a job";
    bool start(job_block& job) noexcept;
    result<void> outcome(job_block&) const noexcept { return {}; }

private:
    static void cancel(job_block& job) noexcept;
    static const wait_kind kind;
    ended_jobs* of_;
};

inline ended_jobs::next_wait ended_jobs::next() noexcept { return next_wait{*this}; }

}  // namespace ringlet::detail
