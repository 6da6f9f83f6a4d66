// SPDX-License-Identifier: MIT
#include <ringlet/io/detail/multishot_receive.hpp>
#include <ringlet/io/receiver.hpp>
#include <ringlet/io/system_calls.hpp>

#include <system_error>
#include <utility>

#include <sys/socket.h>

namespace ringlet::io {

struct receiver::state : detail::multishot_receive<state> {
    using multishot_receive::multishot_receive;
    static constexpr const char* name = "recv";
    static constexpr unsigned kept_max = receiver::kept_max;
    static constexpr bool is_stream = true;
    static buffer_ring& buffers_of(loop& here) { return here.buffers(); }
    void prepare(io_uring_sqe& sqe) noexcept {
        io_uring_prep_recv(&sqe, socket.get(), nullptr, 0, 0);
        if (asked_before) sqe.ioprio |= IORING_RECV_MULTISHOT;
    }
};

void receiver::release::operator()(state* s) const noexcept {
    // The request holds the socket until its last CQE; so the peer is told now.
    if (s->armed) sys::shutdown(s->socket.get(), SHUT_RDWR);
    s->abandon();
}

receiver::receiver(owned_fd socket) : state_{new state{std::move(socket)}} {}

fd_ref receiver::socket() const noexcept { return state_->socket; }

bool receiver::may_hold_more() const noexcept { return state_->left_some || keeps_some(); }

bool receiver::keeps_some() const noexcept { return !state_->kept.empty(); }

bool receiver::wait::start(ringlet::detail::job_block& job) { return state_->begin_wait(job); }

result<buffer_lease> receiver::wait::outcome(ringlet::detail::job_block&) noexcept {
    state& s = *state_;
    s.taking = false;
    if (!s.kept.empty()) return s.buffers->pop(s.kept);
    if (s.end_res < 0) return std::error_code{-s.end_res, std::generic_category()};
    return buffer_lease{};
}

std::string receiver::wait::subject() const { return detail::describe_fd(state_->socket.get()); }

}  // namespace ringlet::io
