// SPDX-License-Identifier: MIT
#include <ringlet/testing/chaos_engine.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

namespace ringlet::testing {
namespace {

constexpr unsigned sq_entries = 2;
constexpr unsigned cq_entries = 4;
constexpr std::uint64_t of_a_cancellation = std::uint64_t{1}
                                            << 63;  // no program has such a user_data: it is no address

bool is_stream(int socket) noexcept {
    int type = 0;
    socklen_t length = sizeof type;
    return ::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

bool is_multishot(const io_uring_sqe& sqe) noexcept {
    return (sqe.opcode == IORING_OP_ACCEPT && (sqe.ioprio & IORING_ACCEPT_MULTISHOT) != 0) ||
           ((sqe.opcode == IORING_OP_RECV || sqe.opcode == IORING_OP_RECVMSG) &&
            (sqe.ioprio & IORING_RECV_MULTISHOT) != 0);
}

// A worker blocks in these until something comes, and there are not so many workers.
bool may_block_for_long(const io_uring_sqe& sqe) noexcept {
    return sqe.opcode == IORING_OP_ACCEPT || sqe.opcode == IORING_OP_POLL_ADD || sqe.opcode == IORING_OP_ASYNC_CANCEL;
}

}  // namespace

chaos_engine::chaos_engine(std::unique_ptr<io::engine> real, std::uint64_t seed)
    : memory_engine{sq_entries, cq_entries}, real_{std::move(real)}, random_{seed} {}

bool chaos_engine::completions_waiting() const noexcept {
    return memory_engine::completions_waiting() || !held_.empty() || real_->completions_waiting();
}

bool chaos_engine::look() { return memory_engine::completions_waiting() || !held_.empty() || real_->look(); }

void chaos_engine::enter(unsigned wanted, deadline until) {
    flush_overflow();
    if (one_in(8)) {  // EINTR, or EBUSY
        ++counts_.interrupted;
        return;
    }
    submit_some();
    const bool enough = posted() + held_.size() >= wanted;
    real_->enter(enough ? 0 : 1, until);
    gather();
    deliver();
    flush_overflow();
}

void chaos_engine::submit_some() {
    while (sq_head != sq_tail) {
        if (real_->sq_room() == 0) {
            real_->enter(0, io::no_deadline);
            gather();
            continue;
        }
        io_uring_sqe& sqe = real_->sqe_at(real_->sq_tail++);
        sqe = sqes[sq_head++ & sq_mask];
        note_submitted(sqe);
        disturb(sqe);
    }
}

void chaos_engine::shorten(std::uint32_t& bytes) {
    if (bytes < 2 || !one_in(3)) return;
    bytes = static_cast<std::uint32_t>(1 + random_() % (bytes - 1));
    ++counts_.shortened;
}

void chaos_engine::disturb(io_uring_sqe& sqe) {
    const bool provides = (sqe.flags & IOSQE_BUFFER_SELECT) != 0;
    switch (sqe.opcode) {
        case IORING_OP_RECV:
        case IORING_OP_SEND:
            if (!provides && is_stream(sqe.fd)) shorten(sqe.len);
            break;
        case IORING_OP_READ:
        case IORING_OP_WRITE:
            shorten(sqe.len);
            break;
        default:
            break;
    }
    if (!is_multishot(sqe) && !may_block_for_long(sqe) && one_in(4)) {
        sqe.flags |= IOSQE_ASYNC;
        ++counts_.made_async;
    }
}

void chaos_engine::note_submitted(io_uring_sqe& sqe) {
    if (sqe.opcode != IORING_OP_ASYNC_CANCEL) {
        ++in_flight_[sqe.user_data];
        return;
    }
    const std::uint64_t ours = of_a_cancellation | ++cancellations_begun_;
    cancellations_[ours] = sqe;
    sqe.user_data = ours;
    sqe.flags &= static_cast<std::uint8_t>(~IOSQE_CQE_SKIP_SUCCESS);  // so that it is known to be over
}

// Whether the program is to see it.
bool chaos_engine::concerns_program(io_uring_cqe& cqe) {
    const auto cancellation = cancellations_.find(cqe.user_data);
    if (cancellation == cancellations_.end()) {
        const auto ended = in_flight_.find(cqe.user_data);
        if ((cqe.flags & IORING_CQE_F_MORE) == 0 && ended != in_flight_.end() && --ended->second == 0)
            in_flight_.erase(ended);
        return true;
    }
    if (cqe.res == -EALREADY && in_flight_.contains(cancellation->second.addr) && real_->sq_room() > 0) {
        io_uring_sqe& again = real_->sqe_at(real_->sq_tail++);
        again = cancellation->second;
        again.user_data = cqe.user_data;
        again.flags &= static_cast<std::uint8_t>(~IOSQE_CQE_SKIP_SUCCESS);
        return false;
    }
    const bool silent = cqe.res >= 0 && (cancellation->second.flags & IOSQE_CQE_SKIP_SUCCESS) != 0;
    cqe.user_data = cancellation->second.user_data;
    cancellations_.erase(cancellation);
    return !silent;
}

void chaos_engine::gather() {
    unsigned head = *real_->cq_head;
    while (head != std::atomic_ref{*real_->cq_tail}.load(std::memory_order_acquire)) {
        io_uring_cqe cqe = real_->cqes[head++ & real_->cq_mask];
        if (concerns_program(cqe)) held_.push_back(cqe);
    }
    std::atomic_ref{*real_->cq_head}.store(head, std::memory_order_release);
}

// Tells some of what came, in an order of its own but for those of the same request.
void chaos_engine::deliver() {
    std::vector<io_uring_cqe> later;
    while (!held_.empty()) {
        auto chosen = held_.begin() + static_cast<std::ptrdiff_t>(random_() % held_.size());
        const auto user_data = chosen->user_data;
        chosen = std::ranges::find(held_, user_data, &io_uring_cqe::user_data);
        if (chosen != held_.begin()) ++counts_.reordered;
        const bool told_later = std::ranges::find(later, user_data, &io_uring_cqe::user_data) != later.end();
        if (told_later || (one_in(8) && posted() > 0)) {
            ++counts_.held_back;
            later.push_back(*chosen);
        } else {
            post(chosen->user_data, chosen->res, chosen->flags);
        }
        held_.erase(chosen);
    }
    held_ = std::move(later);
}

}  // namespace ringlet::testing
