// SPDX-License-Identifier: MIT
#include <ringlet/core/error.hpp>
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/io/engine.hpp>

#include <liburing.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <new>
#include <system_error>

#include <sys/mman.h>

namespace ringlet::io {
namespace {

void* map(std::size_t bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error{errno, std::generic_category(), "mmap of receive buffers"};
    return memory;
}

constexpr unsigned ids = 65536;  // a CQE tells the buffer in 16 bits

void make_room(auto& vector, std::size_t size) {
    if (size > vector.capacity()) vector.reserve(2 * size);
}

}  // namespace

buffer_ring::buffer_ring(engine& backend, std::uint16_t group, unsigned count, unsigned bytes, unsigned count_max)
    : engine_{&backend},
      ring_{nullptr},
      memory_{nullptr},
      group_{group},
      count_{count},
      bytes_{bytes},
      count_max_{std::min(count_max, ids)},
      arrivals_(count) {
    ringlet::detail::require(std::has_single_bit(count) && count <= 32768 && bytes > 0,
                             "a buffer ring has a power of two of buffers, at most 32768");
    ring_ = static_cast<io_uring_buf_ring*>(map(count * sizeof(io_uring_buf)));
    try {
        memory_ = static_cast<std::byte*>(map(std::size_t{count} * bytes));
    } catch (...) {
        ::munmap(ring_, count * sizeof(io_uring_buf));
        throw;
    }
    io_uring_buf_ring_init(ring_);
    io_uring_buf_reg reg{};
    reg.ring_addr = reinterpret_cast<std::uint64_t>(ring_);
    reg.ring_entries = count;
    reg.bgid = group_;
    if (const int res = engine_->register_buffers(reg); res < 0) {
        ::munmap(memory_, std::size_t{count} * bytes);
        ::munmap(ring_, count * sizeof(io_uring_buf));
        throw std::system_error{-res, std::generic_category(), "registering receive buffers (limit: ulimit -l)"};
    }
    for (unsigned id = 0; id < count; ++id) add(static_cast<std::uint16_t>(id));
}

buffer_ring::~buffer_ring() {
    ringlet::detail::require(leased_ == 0, "a buffer lease outlived its loop");
    engine_->unregister_buffers(group_);
    ::munmap(memory_, std::size_t{count_} * bytes_);
    ::munmap(ring_, count_ * sizeof(io_uring_buf));
}

void buffer_ring::add(std::uint16_t id) noexcept {
    io_uring_buf_ring_add(ring_, memory_of(id), bytes_, id, io_uring_buf_ring_mask(count_), 0);
    io_uring_buf_ring_advance(ring_, 1);
}

bool buffer_ring::brought(std::int32_t res, std::uint32_t cqe_flags) noexcept {
    if ((cqe_flags & IORING_CQE_F_BUFFER) == 0) return false;
    ++leased_;
    if (res > 0) return true;
    give_back(static_cast<std::uint16_t>(cqe_flags >> IORING_CQE_BUFFER_SHIFT));
    return false;
}

buffer_lease buffer_ring::take(std::uint32_t cqe_flags, std::size_t length) noexcept {
    const auto id = static_cast<std::uint16_t>(cqe_flags >> IORING_CQE_BUFFER_SHIFT);
    return buffer_lease{*this, {memory_of(id), length}, id};
}

void buffer_ring::push(queue& to, std::uint32_t cqe_flags, std::uint32_t length) noexcept {
    const auto id = static_cast<std::uint16_t>(cqe_flags >> IORING_CQE_BUFFER_SHIFT);
    arrivals_[id].length = length;
    if (to.empty())
        to.first = id;
    else
        arrivals_[to.last].next = id;
    to.last = id;
    ++to.count;
}

buffer_lease buffer_ring::pop(queue& from) noexcept {
    const std::uint16_t id = from.first;
    from.first = arrivals_[id].next;
    --from.count;
    return buffer_lease{*this, {memory_of(id), arrivals_[id].length}, id};
}

void buffer_ring::give_back(std::uint16_t id) noexcept {
    // Room was made for it when it was created.
    if (in_ring() == count_)
        resting_.push_back(id);
    else
        add(id);
    --leased_;
    wake_one();
}

bool buffer_ring::grow() noexcept {
    if (!resting_.empty()) {
        add(resting_.back());
        resting_.pop_back();
        return true;
    }
    const std::size_t id = arrivals_.size();
    if (id >= count_max_) return false;
    try {
        make_room(resting_, more_.size() + 1);
        make_room(arrivals_, id + 1);
        more_.push_back(std::make_unique_for_overwrite<std::byte[]>(bytes_));
    } catch (const std::bad_alloc&) {
        return false;
    }
    arrivals_.emplace_back();
    add(static_cast<std::uint16_t>(id));
    return true;
}

void buffer_ring::wake_one() noexcept {
    if (waiters_.next == &waiters_) return;
    listed& first = listed::from_link(*waiters_.next);
    first.link.unlink();
    first.type->tell(first);
}

}  // namespace ringlet::io
