// SPDX-License-Identifier: MIT
#include <ringlet/core/error.hpp>
#include <ringlet/testing/scripted_engine.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace ringlet::testing {

scripted_engine::scripted_engine(unsigned sq_entries, unsigned cq_entries) : memory_engine{sq_entries, cq_entries} {}

void scripted_engine::complete(std::uint64_t user_data, std::int32_t res, std::uint32_t flags) {
    const auto found = std::ranges::find(pending_, user_data, &io_uring_sqe::user_data);
    ringlet::detail::require(found != pending_.end(), "a script completes a request that is not pending");
    const bool quiet = (found->flags & IOSQE_CQE_SKIP_SUCCESS) != 0 && res >= 0;
    if ((flags & IORING_CQE_F_MORE) == 0) pending_.erase(found);
    if (!quiet) post(user_data, res, flags);
}

void scripted_engine::at(std::chrono::nanoseconds after, std::function<void(scripted_engine&)> what) {
    events_.emplace(now_ + after, std::move(what));
}

const io_uring_sqe& scripted_engine::pending_operation(std::uint8_t opcode) const {
    const auto found = std::ranges::find(pending_, opcode, &io_uring_sqe::opcode);
    ringlet::detail::require(found != pending_.end(), "a script looks for an operation that is not pending");
    return *found;
}

void scripted_engine::cancel(const io_uring_sqe& sqe) {
    const auto target = std::ranges::find_if(pending_, [&](const io_uring_sqe& other) {
        return other.user_data == sqe.addr && other.opcode != IORING_OP_ASYNC_CANCEL;
    });
    if (target == pending_.end()) {
        complete(sqe.user_data, -ENOENT);
        return;
    }
    const std::uint64_t user_data = target->user_data;
    complete(sqe.user_data, 0);
    complete(user_data, -ECANCELED);
}

void scripted_engine::answer(const io_uring_sqe& sqe) {
    if (script_ && script_(*this, sqe)) return;
    if (sqe.opcode == IORING_OP_NOP) complete(sqe.user_data, 0);
    if (sqe.opcode == IORING_OP_ASYNC_CANCEL) cancel(sqe);
}

void scripted_engine::enter(unsigned wanted, deadline until) {
    ++enters_;
    if (std::exchange(interrupted_, false)) return;
    while (sq_head != sq_tail) {
        const io_uring_sqe sqe = sqes[sq_head++ & sq_mask];
        submitted_.push_back(sqe);
        pending_.push_back(sqe);
        answer(sqe);
    }
    flush_overflow();
    // Time passes only while the loop waits.
    while (posted() < wanted) {
        const bool event_first = !events_.empty() && events_.begin()->first <= until;
        if (event_first) {
            auto event = events_.extract(events_.begin());
            now_ = std::max(now_, event.key());
            event.mapped()(*this);
        } else if (until != io::no_deadline) {
            now_ = std::max(now_, until);
            return;
        } else {
            throw std::logic_error{"the script has no answer to what the loop waits for"};
        }
    }
}

void scripted_engine::complete_with_buffer(std::uint64_t user_data, std::string_view bytes, std::uint32_t flags,
                                           std::int32_t error) {
    const auto request = std::ranges::find(pending_, user_data, &io_uring_sqe::user_data);
    ringlet::detail::require(request != pending_.end(), "a script completes a request that is not pending");
    const io_uring_buf* const buffer = next_buffer(request->buf_group);
    if (!buffer) {
        complete(user_data, -ENOBUFS);
        return;
    }
    const auto length = std::min<std::size_t>(bytes.size(), buffer->len);
    std::memcpy(reinterpret_cast<void*>(buffer->addr), bytes.data(), length);
    complete(user_data, error < 0 ? error : static_cast<std::int32_t>(length), flags | use_buffer(request->buf_group));
}

}  // namespace ringlet::testing
