// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>

#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ringlet::net {

class drain;

namespace detail {

using ringlet::detail::cancel_scope;
using ringlet::detail::job_block;
using ringlet::detail::list_link;

class drain_wait final : public leaf<drain_wait, void> {
public:
    explicit drain_wait(drain& what) noexcept : drain_{&what} {}
    static constexpr std::string_view name = "drain";
    bool start(job_block& job) noexcept;
    result<void> outcome(job_block&) const noexcept { return {}; }

private:
    drain* drain_;
};

/// Something that ends when a drain begins.
struct drain_watch {
    drain_watch() noexcept = default;
    drain_watch(drain_watch&& other) noexcept : scope{std::move(other.scope)} {}
    void enter(drain& what, job_block& job) noexcept;
    void leave() noexcept {
        link.unlink();
        scope.leave();
    }
    // An outer cancellation or time limit that is due as well goes first.
    bool interrupted(const job_block& job) const noexcept {
        return scope.cancel_called() && !job.has(job_block::cancel_pending);
    }
    list_link link;
    cancel_scope scope;
};

template <class A>
class [[nodiscard("nothing happens until this is awaited")]] drain_adapter {
public:
    using inner_type = typename A::value_type;
    static constexpr bool gives_nothing = std::is_void_v<inner_type>;
    using value_type =
        std::conditional_t<gives_nothing, bool, std::optional<std::conditional_t<gives_nothing, char, inner_type>>>;

    drain_adapter(drain& what, A&& inner) noexcept : inner_{std::move(inner)}, drain_{&what} {}

    bool begin(job_block& job, std::coroutine_handle<> self) {
        watch_.enter(*drain_, job);
        try {
            return inner_.begin(job, self);
        } catch (...) {
            watch_.leave();
            throw;
        }
    }
    value_type resume(job_block& job) {
        if constexpr (ringlet::detail::is_leaf<A>) {
            result<inner_type> outcome = inner_.end(job);  // first: it may have scopes of its own
            watch_.leave();
            if (!outcome) {
                if (ringlet::detail::is_cancelled(outcome.error()) && watch_.interrupted(job)) return value_type{};
                inner_.raise(outcome.error());
            }
            if constexpr (gives_nothing)
                return true;
            else
                return *std::move(outcome);
        } else {
            try {
                const leave_at_end guard{watch_};
                if constexpr (gives_nothing) {
                    inner_.resume(job);
                    return true;
                } else {
                    return inner_.resume(job);
                }
            } catch (const cancelled&) {
                if (!watch_.interrupted(job)) throw;
            }
            ringlet::detail::give_up(inner_);
            return value_type{};
        }
    }

private:
    struct leave_at_end {
        drain_watch& watch;
        ~leave_at_end() { watch.leave(); }
    };

    A inner_;
    drain* drain_;
    drain_watch watch_;
};

}  // namespace detail

/// "Finish what you are at, and begin nothing new": how a server is told to end gracefully. `serve` stops accepting when
/// its drain begins; handlers ask `begun()`, or put their idle waits into `unless_begun`. Must outlive both.
/// Thread: the loop's thread only.
class drain {
public:
    drain() noexcept = default;
    drain(const drain&) = delete;
    drain& operator=(const drain&) = delete;
    ~drain();

    /// Begins it, once; ends the waits below.
    void begin() noexcept;
    bool begun() const noexcept { return begun_; }

    /// Waits until it begins. Errors: `cancelled`.
    auto wait_begun() noexcept { return detail::drain_wait{*this}; }

    /// Awaits `awaitable` unless the drain begins first, or has begun; then it is cancelled.
    /// Result: its value, or nullopt; for one without a value true, or false. A value that wins the race is delivered.
    /// Errors: its own. Allocates nothing.
    template <class A>
        requires ringlet::detail::is_awaitable<A>
    auto unless_begun(A awaitable) noexcept {
        return detail::drain_adapter<A>{*this, std::move(awaitable)};
    }

private:
    friend detail::drain_wait;
    friend detail::drain_watch;
    detail::list_link waiters_{&waiters_, &waiters_};
    detail::list_link watches_{&watches_, &watches_};
    bool begun_ = false;
};

}  // namespace ringlet::net
