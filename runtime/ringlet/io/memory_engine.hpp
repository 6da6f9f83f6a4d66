// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/engine.hpp>

#include <liburing.h>

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace ringlet::io {

/// Base of the engines that are no kernel's ring: both queues lie in plain memory, and so does the other end of the rings
/// of provided buffers. Completions that find the queue full wait, in order, as the kernel's do.
class memory_engine : public engine {
public:
    bool completions_waiting() const noexcept override { return posted() != 0 || !overflow_.empty(); }
    int register_buffers(io_uring_buf_reg& ring) noexcept override;
    void unregister_buffers(unsigned group) noexcept override;

protected:
    /// Entries are rounded up to powers of two.
    memory_engine(unsigned sq_entries, unsigned cq_entries);

    /// Completions that are there to be read.
    unsigned posted() const noexcept { return *cq_tail - *cq_head; }
    void post(std::uint64_t user_data, std::int32_t res, std::uint32_t flags);
    /// Moves what waits into the room that there is by now.
    void flush_overflow();

    /// The provided buffer that the next data go to: the one that came back last, whose memory is warm. Null when there is
    /// none in the group.
    const io_uring_buf* next_buffer(unsigned group) noexcept;
    /// Takes what next_buffer gave. Gives the CQE's flags for it.
    std::uint32_t use_buffer(unsigned group) noexcept;

private:
    struct provided {
        io_uring_buf_ring* ring;
        unsigned entries;
        std::uint16_t head = 0;
    };

    std::vector<io_uring_sqe> sq_memory_;
    std::vector<io_uring_cqe> cq_memory_;
    unsigned cq_head_memory_ = 0;
    unsigned cq_tail_memory_ = 0;
    std::deque<io_uring_cqe> overflow_;
    std::map<unsigned, provided> buffers_;
};

}  // namespace ringlet::io
