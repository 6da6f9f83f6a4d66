// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/time/clock.hpp>
#include <ringlet/time/limit_scope.hpp>
#include <ringlet/time/timeout.hpp>

#include <chrono>
#include <memory>
#include <source_location>

namespace ringlet {

/// A time limit for all awaits from here to the end of the block, several together, in the job that runs. As gevent's
/// `with Timeout(...)`. Where there is one await, `with_timeout` says it shorter.
///
/// When the time is up, the awaits in the block raise `cancelled`, which no `catch (const std::exception&)` in it takes for a
/// failure. Behind the block that becomes timeout_error: by itself where it leaves the coroutine, so that a limit for (the
/// rest of) a task is one line,
///
///     ringlet::timeout_scope limit{5s};
///
/// and where the same coroutine goes on, by `rethrow` or `end` in a handler, because a destructor cannot exchange the
/// exception that passes it:
///
///     ringlet::timeout_scope limit{5s};
///     try { co_await a(); co_await b(); } catch (const ringlet::cancelled&) { limit.rethrow(); }
///
/// Only a `cancelled` that the awaits raise because this time is up becomes timeout_error. It may be kept, and thrown on behind
/// clean-up that awaits. Any other passes as it is, though the time is up: that of the job itself, or what another job that was
/// cancelled gives. A block that ends well although the time is up has ended well. Scopes nest, and among with_timeout, shield
/// and task groups, too; of what is due when a block ends, the outermost speaks.
/// Errors:    of the constructor: std::bad_alloc.
/// Lifetime:  a local variable of a coroutine; it neither copies nor moves. Not around a co_yield.
/// Thread:    the loop's thread, in a job.
class [[nodiscard("the limit ends with this object")]] timeout_scope {
public:
    explicit timeout_scope(std::chrono::nanoseconds limit, std::source_location where = std::source_location::current())
        : timeout_scope{detail::time_limit{limit}, where} {}
    /// Until a point in time.
    explicit timeout_scope(deadline when, std::source_location where = std::source_location::current())
        : timeout_scope{detail::time_limit{when}, where} {}
    timeout_scope(const timeout_scope&) = delete;
    timeout_scope& operator=(const timeout_scope&) = delete;
    ~timeout_scope();

    /// Ends the limit before the end of the block. Result: whether it was this limit that cancelled what ran inside, and no
    /// outer cancellation is due: `catch (const ringlet::cancelled&) { if (!limit.end()) throw; }` goes on without an
    /// error. Not in a handler of a `cancelled` that another caused. At the second call as at the first.
    bool end() noexcept;
    /// Ends the limit, in a handler of `cancelled`: throws timeout_error, "time limit of 5 s exceeded (set at main.cpp:12)",
    /// when it was this limit, else lets what is handled go on.
    [[noreturn]] void rethrow();

    /// Whether the time is up.
    bool expired() const noexcept { return scope_.cancel_called(); }
    /// Gives the rest of the block another limit, from now on. No effect once the time was up or the limit was ended.
    void restart(std::chrono::nanoseconds limit) noexcept;

private:
    class late;
    class block : public detail::limit_scope {
    public:
        void begin(detail::job_block& job, late& of);
    };

    timeout_scope(detail::time_limit limit, std::source_location where);
    void close() noexcept;

    detail::job_block* job_;
    std::shared_ptr<late> late_;  // outlives this in the cancellations that it causes
    block scope_;
    bool open_ = true;
    bool mine_ = false;
};

}  // namespace ringlet
