// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/io/fd.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>

namespace ringlet::io {

/// A message in one of the loop's buffers, with its sender and its control data beside it. Gives the buffer back when
/// destroyed; must not outlive the loop. All that it shows may be written to.
class message_lease {
public:
    /// What lies before the bytes in a buffer: the kernel's header, the sender, control data. Aligned as control data are.
    static constexpr std::size_t header_bytes = 16;
    static constexpr std::size_t name_bytes_max = 32;
    static constexpr std::size_t control_bytes_max = 80;
    static constexpr std::size_t overhead = header_bytes + name_bytes_max + control_bytes_max;

    message_lease() noexcept = default;

    /// The message, as far as the buffer took it.
    std::span<std::byte> bytes() const noexcept { return lease_.bytes(); }
    std::size_t size() const noexcept { return lease_.size(); }
    /// Bytes that were sent; more than size() when they were too many for the buffer and the rest is gone.
    std::size_t full_size() const noexcept { return full_size_; }
    bool truncated() const noexcept { return full_size_ > size(); }
    /// The sender's address as the kernel wrote it; empty when it has none.
    std::span<std::byte> name() const noexcept {
        return {lease_.bytes().data() - control_bytes_max - name_bytes_max, name_bytes_};
    }
    /// Control messages, as recvmsg(2) gives them; what the socket was asked for by its options.
    std::span<std::byte> control() const noexcept {
        return {lease_.bytes().data() - control_bytes_max, control_bytes_};
    }
    void release() noexcept { lease_.release(); }

private:
    friend class message_receiver;
    explicit message_lease(buffer_lease whole) noexcept;

    buffer_lease lease_;
    std::uint32_t full_size_ = 0;
    std::uint16_t name_bytes_ = 0;
    std::uint16_t control_bytes_ = 0;
};

/// A UDP socket with one request that goes on receiving, each message into a buffer of the loop's
/// (loop_options::message_buffers), with sender and control data: no request per message, and a wait that is cancelled or
/// times out loses nothing. While nothing comes, no buffer is held. What comes while nobody waits is kept; at `kept_max`
/// messages receiving pauses, and the kernel's own queue takes what follows. May be destroyed at any time; the socket
/// is closed as soon as the kernel has let go of it, and its address is free from then on. Must not outlive its loop. Do not
/// shut the socket down: a wait that has begun is not told of that (Linux 6.18).
/// Maps to: IORING_OP_RECVMSG with IORING_RECV_MULTISHOT, MSG_TRUNC and IOSQE_BUFFER_SELECT, Linux 6.0.
class message_receiver {
public:
    static constexpr unsigned kept_max = 48;

    /// Takes the socket over.
    explicit message_receiver(owned_fd socket);
    message_receiver(message_receiver&&) noexcept = default;
    message_receiver& operator=(message_receiver&&) noexcept = default;
    ~message_receiver() = default;

    fd_ref socket() const noexcept;

    /// Waits for a message.
    ///
    /// Result:    a lease on it; an empty message is one, too.
    /// Errors:    std::system_error as recvmsg(2): each is given once, and the next wait receives again; ESHUTDOWN when
    ///            receiving had been shut down before; `cancelled`, and then no message is lost: the next wait gets it. When all buffers
    ///            are out, it waits for one.
    /// Lifetime:  borrows the receiver until the co_await ends; the lease must not outlive the loop.
    /// Thread:    the loop's thread only; one wait at a time.
    auto next() noexcept { return wait<message_lease>{state_.get()}; }
    /// As next(), with a result that is made of the lease.
    template <class Lease>
    auto next_as() noexcept {
        return wait<Lease>{state_.get()};
    }

    /// One that has come already, without waiting. Nullopt when there is none, or when an error is what next() has to tell.
    /// Not while another job is in next().
    std::optional<message_lease> try_next() noexcept;

private:
    struct state;
    struct release {
        void operator()(state* s) const noexcept;
    };
    static bool start(state& s, ringlet::detail::job_block& job);
    static bool is_end(const message_lease& taken) noexcept;
    static result<message_lease> take(state& s) noexcept;
    static std::string describe(const state& s);

    template <class Lease>
    class [[nodiscard("nothing happens until this is awaited")]] wait final : public leaf<wait<Lease>, Lease> {
    public:
        explicit wait(state* s) noexcept : state_{s} {}
        static constexpr std::string_view name = "recvmsg";
        bool start(ringlet::detail::job_block& job) { return message_receiver::start(*state_, job); }
        result<Lease> outcome(ringlet::detail::job_block&) noexcept {
            result<message_lease> taken = take(*state_);
            if (!taken) return taken.error();
            return Lease{*std::move(taken)};
        }
        std::string subject() const { return describe(*state_); }

    private:
        state* state_;
    };

    std::unique_ptr<state, release> state_;
};

}  // namespace ringlet::io
