// SPDX-License-Identifier: MIT
#include <ringlet/io/memory_engine.hpp>

#include <bit>
#include <cerrno>
#include <new>
#include <utility>

namespace ringlet::io {

memory_engine::memory_engine(unsigned sq_entries, unsigned cq_entries)
    : sq_memory_(std::bit_ceil(sq_entries)), cq_memory_(std::bit_ceil(cq_entries)) {
    sqes = sq_memory_.data();
    sq_mask = static_cast<unsigned>(sq_memory_.size()) - 1;
    cqes = cq_memory_.data();
    cq_mask = static_cast<unsigned>(cq_memory_.size()) - 1;
    cq_head = &cq_head_memory_;
    cq_tail = &cq_tail_memory_;
}

void memory_engine::post(std::uint64_t user_data, std::int32_t res, std::uint32_t flags) {
    io_uring_cqe cqe{};
    cqe.user_data = user_data;
    cqe.res = res;
    cqe.flags = flags;
    if (!overflow_.empty() || posted() > cq_mask) {
        overflow_.push_back(cqe);
        return;
    }
    cqes[(*cq_tail)++ & cq_mask] = cqe;
}

void memory_engine::flush_overflow() {
    while (!overflow_.empty() && posted() <= cq_mask) {
        cqes[(*cq_tail)++ & cq_mask] = overflow_.front();
        overflow_.pop_front();
    }
}

int memory_engine::register_buffers(io_uring_buf_reg& ring) noexcept {
    try {
        const provided one{reinterpret_cast<io_uring_buf_ring*>(ring.ring_addr), ring.ring_entries};
        return buffers_.emplace(ring.bgid, one).second ? 0 : -EEXIST;
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
}

void memory_engine::unregister_buffers(unsigned group) noexcept { buffers_.erase(group); }

const io_uring_buf* memory_engine::next_buffer(unsigned group) noexcept {
    const auto found = buffers_.find(group);
    if (found == buffers_.end()) return nullptr;
    const provided& from = found->second;
    const std::uint16_t tail = from.ring->tail;
    if (from.head == tail) return nullptr;
    io_uring_buf& next = from.ring->bufs[from.head & (from.entries - 1)];
    io_uring_buf& newest = from.ring->bufs[(tail - 1) & (from.entries - 1)];
    std::swap(next.addr, newest.addr);  // not the whole: the first entry's last field is the ring's tail
    std::swap(next.len, newest.len);
    std::swap(next.bid, newest.bid);
    return &next;
}

std::uint32_t memory_engine::use_buffer(unsigned group) noexcept {
    provided& from = buffers_.find(group)->second;
    const std::uint32_t id = from.ring->bufs[from.head++ & (from.entries - 1)].bid;
    return IORING_CQE_F_BUFFER | id << IORING_CQE_BUFFER_SHIFT;
}

}  // namespace ringlet::io
