// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/sync/queue.hpp>

#include <optional>
#include <utility>

namespace ringlet {

/// Where two jobs meet: who sends waits until somebody takes the item, as on a Go channel without a buffer; gevent's Channel.
/// First come, first served at both ends; nothing is lost by a cancellation, see `queue`. Thread: the loop's thread only.
template <class T>
class channel {
public:
    channel() = default;
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;

    /// Waits until a job receives the item.
    /// Errors: std::errc::broken_pipe when the channel is closed before that, `cancelled`: nobody has got it then.
    auto send(T item) { return typename core::put_wait{core_, std::move(item)}; }
    /// Gives it to a job that waits; false when none does.
    bool try_send(T&& item) { return !core_.closed() && core_.give_or_keep(item); }

    /// Waits until a job sends. Result: the item; nullopt when the channel is closed. Errors: `cancelled`.
    auto receive() noexcept { return typename core::get_wait{core_}; }
    std::optional<T> try_receive() { return core_.take(); }

    /// Ends every wait at either end; further ones end at once.
    void close() noexcept { core_.close(); }
    bool closed() const noexcept { return core_.closed(); }

private:
    using core = detail::queue_core<T, fifo_order<T>>;
    core core_{0};
};

}  // namespace ringlet
