// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/io/fd.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace ringlet::io {

/// A connected socket with one request that goes on receiving into the loop's provided buffers, for sockets that are
/// received from again and again: no request per message, and a wait that is cancelled or times out costs no system
/// call and loses nothing. The first receive is one by itself: a socket that is closed after its first message needs no
/// request that would have to be torn off. While nothing comes, no buffer is held. What comes while nobody waits is
/// kept; at `kept_max` buffers receiving pauses, and what the kernel hands over before it has heard of that (32 buffers
/// in a row) is kept too. May be destroyed at any time; it closes the socket, as soon as the kernel has let go of it. Must
/// not outlive its loop.
/// A kernel before the spring of 2026 may not tell of the end of a Unix socket's stream that comes right behind data
/// (liburing issue 1549): where that can be, give waits a time limit.
/// Maps to: IORING_OP_RECV with IOSQE_BUFFER_SELECT, Linux 5.19, then with IORING_RECV_MULTISHOT, too, Linux 6.0.
class receiver {
public:
    static constexpr unsigned kept_max = 4;

    /// Takes the socket over.
    explicit receiver(owned_fd socket);
    receiver(receiver&&) noexcept = default;
    receiver& operator=(receiver&&) noexcept = default;
    ~receiver() = default;
    /// As the destructor; nothing else may follow.
    void close() noexcept { state_.reset(); }

    fd_ref socket() const noexcept;

    /// Whether the last `next` left something, here or in the socket; before the first one: yes.
    bool may_hold_more() const noexcept;
    /// Whether something has come that nobody has taken.
    bool keeps_some() const noexcept;

    /// Waits for data.
    ///
    /// Result:    a lease on 1 or more bytes; an empty lease when the peer closed its sending side.
    /// Errors:    std::system_error as recv(2); `cancelled`, and then no byte is lost: the next wait gets them. When all
    ///            buffers are out, it waits for one.
    /// Lifetime:  borrows the receiver until the co_await ends; the lease must not outlive the loop.
    /// Thread:    the loop's thread only; one wait at a time.
    auto next() noexcept { return wait{state_.get()}; }

private:
    struct state;
    struct release {
        void operator()(state* s) const noexcept;
    };

    class [[nodiscard("nothing happens until this is awaited")]] wait final : public leaf<wait, buffer_lease> {
    public:
        explicit wait(state* s) noexcept : state_{s} {}
        static constexpr std::string_view name = "recv";
        bool start(ringlet::detail::job_block& job);
        result<buffer_lease> outcome(ringlet::detail::job_block& job) noexcept;
        std::string subject() const;

    private:
        state* state_;
    };

    std::unique_ptr<state, release> state_;
};

}  // namespace ringlet::io
