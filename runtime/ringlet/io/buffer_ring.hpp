// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/job_block.hpp>
#include <ringlet/io/completion.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

struct io_uring_buf_ring;

namespace ringlet::io {

class buffer_ring;
class engine;

/// Bytes in one of the loop's provided buffers. Gives the buffer back when destroyed; must not outlive the loop.
class buffer_lease {
public:
    buffer_lease() noexcept = default;
    buffer_lease(buffer_lease&& other) noexcept
        : ring_{std::exchange(other.ring_, nullptr)},
          data_{other.data_},
          size_{std::exchange(other.size_, 0)},
          id_{other.id_} {}
    buffer_lease& operator=(buffer_lease&& other) noexcept {
        if (this != &other) {
            release();
            ring_ = std::exchange(other.ring_, nullptr);
            data_ = other.data_;
            size_ = std::exchange(other.size_, 0);
            id_ = other.id_;
        }
        return *this;
    }
    ~buffer_lease() { release(); }

    std::span<std::byte> bytes() const noexcept { return {data_, size_}; }
    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    /// Forgets the first `count` bytes.
    void consume(std::size_t count) noexcept {
        data_ += count;
        size_ -= static_cast<std::uint32_t>(count);
    }
    void release() noexcept;

private:
    friend buffer_ring;
    buffer_lease(buffer_ring& ring, std::span<std::byte> bytes, std::uint16_t id) noexcept
        : ring_{&ring}, data_{bytes.data()}, size_{static_cast<std::uint32_t>(bytes.size())}, id_{id} {}

    buffer_ring* ring_ = nullptr;
    std::byte* data_ = nullptr;
    std::uint32_t size_ = 0;
    std::uint16_t id_ = 0;
};

/// A ring of buffers that the kernel picks from when data arrives, so that an idle connection holds none.
/// Maps to: IORING_REGISTER_PBUF_RING, Linux 5.19; io_uring_register_buf_ring(3).
class buffer_ring {
public:
    /// `count` buffers, a power of two up to 32768, of `bytes` each; up to `count_max` when they are needed. `group`: their
    /// number, one for each ring of an engine. Throws std::system_error.
    buffer_ring(engine& backend, std::uint16_t group, unsigned count, unsigned bytes, unsigned count_max);
    buffer_ring(const buffer_ring&) = delete;
    buffer_ring& operator=(const buffer_ring&) = delete;
    ~buffer_ring();

    std::uint16_t group() const noexcept { return group_; }
    std::size_t buffer_bytes() const noexcept { return bytes_; }
    unsigned leased() const noexcept { return leased_; }

    /// To be called for each CQE of a request that selects a buffer, when it is reaped; gives whether data came, and then
    /// `take` or `push` follows. A request that a worker of the kernel does chooses its buffer first, and may then fail or
    /// find the end: the buffer goes straight back.
    bool brought(std::int32_t res, std::uint32_t cqe_flags) noexcept;
    /// Every buffer is out, as far as CQEs have been reaped.
    bool exhausted() const noexcept { return in_ring() == 0; }
    /// For who has data waiting when every buffer is out: puts one more into the ring. Else as many peers that take
    /// nothing as there are buffers, each with a lease stuck in a send, would bring all the others to a stop.
    /// Result: false when no more can be made.
    bool grow() noexcept;

    /// The lease of what a CQE with IORING_CQE_F_BUFFER brought.
    buffer_lease take(std::uint32_t cqe_flags, std::size_t length) noexcept;

    /// Buffers that came and wait to be taken, in order of arrival. The links are in the ring, which has one for each
    /// buffer.
    struct queue {
        std::uint16_t first = 0;
        std::uint16_t last = 0;
        std::uint16_t count = 0;
        bool empty() const noexcept { return count == 0; }
    };
    /// Appends what a CQE with IORING_CQE_F_BUFFER brought.
    void push(queue& to, std::uint32_t cqe_flags, std::uint32_t length) noexcept;
    /// The lease of the first in a queue that is not empty.
    buffer_lease pop(queue& from) noexcept;

    /// Tells `who` when a buffer comes back, once, in the order of these calls.
    void wait(listed& who) noexcept { who.link.insert_before(waiters_); }
    /// For a waiter that was woken and did not need the buffer after all.
    void wake_one() noexcept;

private:
    friend buffer_lease;
    void give_back(std::uint16_t id) noexcept;
    void add(std::uint16_t id) noexcept;
    unsigned in_ring() const noexcept { return static_cast<unsigned>(arrivals_.size() - resting_.size()) - leased_; }
    std::byte* memory_of(std::uint16_t id) const noexcept {
        return id < count_ ? memory_ + std::size_t{id} * bytes_ : more_[id - count_].get();
    }

    engine* engine_;
    io_uring_buf_ring* ring_;
    std::byte* memory_;
    std::uint16_t group_;
    unsigned count_;
    unsigned bytes_;
    unsigned count_max_;
    unsigned leased_ = 0;
    struct arrival {
        std::uint32_t length;
        std::uint16_t next;
    };
    std::vector<arrival> arrivals_;  // by buffer
    // Further buffers, kept for the next rush. The ring has room for count_, so when all come back some rest.
    std::vector<std::unique_ptr<std::byte[]>> more_;
    std::vector<std::uint16_t> resting_;
    ringlet::detail::list_link waiters_{&waiters_, &waiters_};
};

inline void buffer_lease::release() noexcept {
    size_ = 0;
    if (ring_) std::exchange(ring_, nullptr)->give_back(id_);
}

}  // namespace ringlet::io
