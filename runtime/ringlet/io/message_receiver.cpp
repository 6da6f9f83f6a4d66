// SPDX-License-Identifier: MIT
#include <ringlet/io/detail/multishot_receive.hpp>
#include <ringlet/io/message_receiver.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace ringlet::io {

static_assert(message_lease::header_bytes == sizeof(io_uring_recvmsg_out));
static_assert(message_lease::overhead % alignof(cmsghdr) == 0 && message_lease::name_bytes_max % alignof(cmsghdr) == 0);

message_lease::message_lease(buffer_lease whole) noexcept : lease_{std::move(whole)} {
    io_uring_recvmsg_out told;
    std::memcpy(&told, lease_.bytes().data(), sizeof told);
    lease_.consume(overhead);
    full_size_ = told.payloadlen;
    name_bytes_ = static_cast<std::uint16_t>(std::min<std::size_t>(told.namelen, name_bytes_max));
    control_bytes_ = static_cast<std::uint16_t>(std::min<std::size_t>(told.controllen, control_bytes_max));
}

struct message_receiver::state : detail::multishot_receive<state> {
    using multishot_receive::multishot_receive;
    static constexpr const char* name = "recvmsg";
    static constexpr unsigned kept_max = message_receiver::kept_max;
    static constexpr bool is_stream = false;
    static buffer_ring& buffers_of(loop& here) { return here.message_buffers(); }
    void prepare(io_uring_sqe& sqe) noexcept {
        room.msg_namelen = message_lease::name_bytes_max;
        room.msg_controllen = message_lease::control_bytes_max;
        io_uring_prep_recvmsg_multishot(&sqe, socket.get(), &room, MSG_TRUNC);
    }

    msghdr room{};  // the kernel reads the two lengths, once or each time
};

void message_receiver::release::operator()(state* s) const noexcept { s->abandon(); }

message_receiver::message_receiver(owned_fd socket) : state_{new state{std::move(socket)}} {}

fd_ref message_receiver::socket() const noexcept { return state_->socket; }

bool message_receiver::start(state& s, ringlet::detail::job_block& job) { return s.begin_wait(job); }

// What a socket gives that was shut for receiving; a datagram of nothing has a sender.
bool message_receiver::is_end(const message_lease& taken) noexcept {
    return taken.full_size() == 0 && taken.name().empty();
}

result<message_lease> message_receiver::take(state& s) noexcept {
    s.taking = false;
    if (!s.kept.empty()) {
        message_lease taken{s.buffers->pop(s.kept)};
        if (is_end(taken)) return std::error_code{ESHUTDOWN, std::generic_category()};
        return taken;
    }
    s.ended = false;
    return std::error_code{s.end_res < 0 ? -s.end_res : ESHUTDOWN, std::generic_category()};
}

std::optional<message_lease> message_receiver::try_next() noexcept {
    state& s = *state_;
    ringlet::detail::require(s.job == nullptr && !s.taking, "try_next while another job waits in next");
    if (s.kept.empty()) return std::nullopt;
    message_lease taken{s.buffers->pop(s.kept)};
    if (!is_end(taken)) return taken;
    s.ended = true;
    s.end_res = 0;
    return std::nullopt;
}

std::string message_receiver::describe(const state& s) { return detail::describe_fd(s.socket.get()); }

}  // namespace ringlet::io
