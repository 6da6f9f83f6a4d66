// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/job_block.hpp>

#include <memory>

namespace ringlet::detail {

class expiry;

/// A stretch of one job's awaits that can be cancelled, or shielded, as one. Scopes nest; they live in awaiters.
class cancel_scope {
public:
    enum class kind : std::uint8_t { limit, shield };

    explicit cancel_scope(kind what = kind::limit) noexcept : kind_{what} {}
    cancel_scope(const cancel_scope&) = delete;
    cancel_scope& operator=(const cancel_scope&) = delete;
    /// Scopes move only before they are entered.
    cancel_scope(cancel_scope&& other) noexcept : kind_{other.kind_} {}

    void enter(job_block& job) noexcept;
    void leave() noexcept;
    /// Cancels what runs inside; no effect after `leave`.
    void cancel() noexcept;
    bool cancel_called() const noexcept { return cancelled_; }

private:
    friend void refresh_pending(job_block&) noexcept;
    friend std::shared_ptr<expiry> cause_of_pending(const job_block&) noexcept;
    cancel_scope* outer_ = nullptr;
    job_block* job_ = nullptr;

protected:
    expiry* expiry_ = nullptr;  ///< null where whoever awaits within the scope turns its cancellation into an error
    timer_node timer_;          // used by time/timeout.hpp; here because of the padding

private:
    kind kind_;
    bool cancelled_ = false;
};

/// Asks `job` to end: every await that it does from now on raises `cancelled`, unless shielded. Idempotent.
void request_cancel(job_block& job) noexcept;

/// Whose the cancellation is that is due in `job`: of several the outermost one's. Null where none is, or where it is not that
/// of a scope with an `expiry`: the job's own, say.
std::shared_ptr<expiry> cause_of_pending(const job_block& job) noexcept;

/// Works out anew whether a cancellation is to be raised, and interrupts the present wait when one is.
void refresh_pending(job_block& job) noexcept;

}  // namespace ringlet::detail
