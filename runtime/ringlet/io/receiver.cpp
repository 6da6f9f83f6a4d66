// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/plain_writer.hpp>
#include <ringlet/core/frame_pool.hpp>
#include <ringlet/io/completion.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/io/operation.hpp>
#include <ringlet/io/receiver.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>
#include <liburing.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/socket.h>

namespace ringlet::io {

using ringlet::detail::job_block;

struct receiver::state : completion, listed, ringlet::detail::in_frame_pool {
    explicit state(owned_fd connected) noexcept : completion{&arrived}, listed{entry}, socket{std::move(connected)} {}
    ~state() {
        while (!kept.empty()) buffers->pop(kept);
    }

    void arm(loop& here) {
        io_uring_sqe& sqe = here.next_sqe();
        io_uring_prep_recv_multishot(&sqe, socket.get(), nullptr, 0, 0);
        sqe.flags |= IOSQE_BUFFER_SELECT;
        sqe.buf_group = here.buffers().group();
        polled_first = !maybe_data;
        if (polled_first) sqe.ioprio |= IORING_RECVSEND_POLL_FIRST;
        sqe.user_data = user_data();
        here.request_begun();
        here.add_standing(*this);
        armed = true;
        stopping = false;
    }
    void stop(loop& here) noexcept {
        if (!armed || stopping) return;
        stopping = true;
        here.cancel_request(user_data());
    }

    static void arrived(completion& base, std::int32_t res, std::uint32_t flags) noexcept {
        auto& self = static_cast<state&>(base);
        loop& here = loop::current();
        const bool brought = here.buffers().brought(res, flags);
        if (brought) here.buffers().push(self.kept, flags, static_cast<std::uint32_t>(res));
        if ((flags & IORING_CQE_F_MORE) == 0) {
            here.request_ended();
            self.link.unlink();
            self.armed = false;
        }
        // It was woken for a buffer and took none: the next in line may. But ENOBUFS says that there is none.
        if (std::exchange(self.woken, false) && !brought && res != -ENOBUFS) here.buffers().wake_one();
        if (self.orphan) {
            if (!self.armed) delete &self;
            return;
        }
        self.handle(here, res, flags);
    }

    void handle(loop& here, std::int32_t res, std::uint32_t flags) noexcept {
        if (res > 0) {
            maybe_data = (flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
            // Did the end of the stream, or an error, come before the request? One that polls first is not told of it
            // after the data (Linux 6.18), so ask anew.
            if (std::exchange(polled_first, false) && !maybe_data) {
                maybe_data = true;
                stop(here);
            }
            if (kept.count >= kept_max) {
                maybe_data = true;  // by the time it goes on
                stop(here);
            }
        } else if (res == -ENOBUFS) {
            // Nobody waits: no buffer is needed now, and who takes nothing must not collect them.
            if (!job) return;
            // The kernel looks for a buffer before it looks for data; only who has data may wait for a buffer.
            if (std::exchange(maybe_data, false) || !here.buffers().exhausted() || here.buffers().grow()) {
                arm(here);
            } else {
                parked = true;
                here.buffers().wait(*this);
            }
            return;
        } else if (!(res == -ECANCELED && stopping)) {
            ended = true;
            end_res = res;
        }
        if (!job) return;
        if (kept.empty() && !ended) {
            if (!armed) arm(here);
            return;
        }
        here.make_ready(*std::exchange(job, nullptr));
    }

    // While the request stands: it is to end. While it waits for a buffer: one has come.
    static void told(listed& base) noexcept {
        auto& self = static_cast<state&>(base);
        if (!self.parked) {
            self.stop(loop::current());
            return;
        }
        self.parked = false;
        self.woken = true;
        self.arm(loop::current());
    }
    std::uint64_t user_data() noexcept {
        return reinterpret_cast<std::uint64_t>(static_cast<completion*>(this)) | detail::tag_completion;
    }
    static void cancel(job_block& waiting) noexcept {
        auto& self = *static_cast<state*>(waiting.wait_object);
        self.job = nullptr;
        if (std::exchange(self.parked, false)) self.link.unlink();  // the buffer is for somebody who waits
        waiting.res = ringlet::detail::wait_cancelled;
        loop::current().make_ready(waiting);
    }
    static void describe(const job_block& waiting, std::string& out) {
        const int fd = static_cast<const state*>(waiting.wait_object)->socket.get();
        out += fmt::format(" fd {}, {}", fd, detail::describe_fd(fd));
    }
    static void describe_plainly(const job_block& waiting, const ringlet::detail::plain_writer& out) noexcept {
        out.descriptor(static_cast<const state*>(waiting.wait_object)->socket.get());
    }
    static std::string name_of(const listed& base) {
        return "recv " + detail::describe_fd(static_cast<const state&>(base).socket.get());
    }
    static const listed::kind entry;
    static constexpr ringlet::detail::wait_kind kind{
        .name = "recv", .cancel = &cancel, .describe = &describe, .describe_in_handler = &describe_plainly};

    owned_fd socket;
    std::int32_t end_res = 0;  // once `ended`: 0, or -errno
    job_block* job = nullptr;  // who gets what comes next
    buffer_ring::queue kept;   // what came and was not taken
    bool armed = false;
    bool maybe_data = true;  // the socket may hold data: try before waiting for it
    bool stopping = false;
    bool ended = false;
    bool parked = false;  // waits for a buffer
    bool woken = false;   // was given the chance to take one
    bool orphan = false;
    bool polled_first = false;  // and nothing has come since
    bool taking = false;        // a job that found something kept is about to run
    buffer_ring* buffers = nullptr;
};

const listed::kind receiver::state::entry{&told, &name_of};

void receiver::release::operator()(state* s) const noexcept {
    ringlet::detail::require(s->job == nullptr,
                             "a receiver was destroyed while a job waits in it: cancel and join that job first");
    if (s->parked) s->link.unlink();
    if (!s->armed) {
        delete s;
        return;
    }
    // The request holds the socket until its last CQE; so the peer is told now.
    sys::shutdown(s->socket.get(), SHUT_RDWR);
    s->orphan = true;
    s->stop(loop::current());
}

receiver::receiver(owned_fd socket) : state_{new state{std::move(socket)}} {}

fd_ref receiver::socket() const noexcept { return state_->socket; }

bool receiver::wait::start(job_block& job) {
    state& s = *state_;
    ringlet::detail::require(s.job == nullptr && !s.taking,
                             "two jobs receive from the same socket: let one receive, and pass on what it gets");
    loop& here = loop::current();
    s.buffers = &here.buffers();  // the first call registers them, which may fail
    if (!s.kept.empty() || s.ended) {
        s.taking = true;
        return ringlet::detail::suspend_once(job);
    }
    if (!s.armed && !s.parked) s.arm(here);
    s.job = &job;
    job.wait_object = &s;
    job.waiting = &state::kind;
    return true;
}

result<buffer_lease> receiver::wait::outcome(job_block&) noexcept {
    state& s = *state_;
    s.taking = false;
    if (!s.kept.empty()) return s.buffers->pop(s.kept);
    if (s.end_res < 0) return std::error_code{-s.end_res, std::generic_category()};
    return buffer_lease{};
}

std::string receiver::wait::subject() const { return detail::describe_fd(state_->socket.get()); }

}  // namespace ringlet::io
