// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/job_block.hpp>

namespace ringlet::detail {

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
    cancel_scope* outer_ = nullptr;
    job_block* job_ = nullptr;

protected:
    timer_node timer_;  // used by time/timeout.hpp; here because of the padding

private:
    kind kind_;
    bool cancelled_ = false;
};

/// Asks `job` to end: every await that it does from now on raises `cancelled`, unless shielded. Idempotent.
void request_cancel(job_block& job) noexcept;

/// Works out anew whether a cancellation is to be raised, and interrupts the present wait when one is.
void refresh_pending(job_block& job) noexcept;

}  // namespace ringlet::detail
