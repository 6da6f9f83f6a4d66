// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/plain_writer.hpp>
#include <ringlet/core/frame_pool.hpp>
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/io/completion.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/io/operation.hpp>

#include <fmt/format.h>
#include <liburing.h>

#include <cerrno>
#include <string>
#include <utility>

namespace ringlet::io::detail {

/// One request that goes on receiving into provided buffers: what io::receiver and io::message_receiver have in common.
/// `Derived` has
///   `static constexpr const char* name`        of the wait, in reports;
///   `static constexpr unsigned kept_max`       buffers that are kept for nobody before receiving pauses;
///   `static constexpr bool is_stream`          an end or an error is the last that it gives;
///   `static buffer_ring& buffers_of(loop&)`    the buffers, which the first call may register;
///   `void prepare(io_uring_sqe&)`              fills all but the buffers' group.
template <class Derived>
struct multishot_receive : completion, listed, ringlet::detail::in_frame_pool {
    using job_block = ringlet::detail::job_block;

    explicit multishot_receive(owned_fd from) noexcept : completion{&arrived}, listed{entry}, socket{std::move(from)} {}
    ~multishot_receive() {
        while (!kept.empty()) buffers->pop(kept);
    }

    void arm(loop& here) {
        io_uring_sqe& sqe = here.next_sqe();
        self().prepare(sqe);
        sqe.flags |= IOSQE_BUFFER_SELECT;
        sqe.buf_group = buffers->group();
        polled_first = !maybe_data;
        if (polled_first) sqe.ioprio |= IORING_RECVSEND_POLL_FIRST;
        sqe.user_data = user_data();
        here.request_begun();
        here.add_standing(*this);
        armed = true;
        asked_before = true;
        stopping = false;
    }
    void stop(loop& here) noexcept {
        if (!armed || stopping) return;
        stopping = true;
        here.cancel_request(user_data());
    }

    static void arrived(completion& base, std::int32_t res, std::uint32_t flags) noexcept {
        auto& one = static_cast<multishot_receive&>(base);
        loop& here = loop::current();
        const bool brought = one.buffers->brought(res, flags);
        if (brought) one.buffers->push(one.kept, flags, static_cast<std::uint32_t>(res));
        if ((flags & IORING_CQE_F_MORE) == 0) {
            here.request_ended();
            one.link.unlink();
            one.armed = false;
        }
        // It was woken for a buffer and took none: the next in line may. But ENOBUFS says that there is none.
        if (one.woken && !brought && res != -ENOBUFS) one.buffers->wake_one();
        one.woken = false;
        if (one.orphan) {
            if (!one.armed) delete &one.self();
            return;
        }
        one.handle(here, res, flags);
    }

    void handle(loop& here, std::int32_t res, std::uint32_t flags) noexcept {
        if (res > 0) {
            left_some = (flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
            maybe_data = left_some || !armed;  // to try in vain costs less than not to be told of the end, see below
            // Did the end of the stream, or an error, come before the request? One that polls first is not told of it
            // after the data (Linux 6.18), so ask anew.
            if (polled_first && !maybe_data && Derived::is_stream) {
                polled_first = false;
                maybe_data = true;
                stop(here);
            }
            if (kept.count >= Derived::kept_max) {
                maybe_data = true;  // by the time it goes on
                stop(here);
            }
        } else if (res == -ENOBUFS) {
            // Nobody waits: no buffer is needed now, and who takes nothing must not collect them.
            if (!job) return;
            // The kernel looks for a buffer before it looks for data; only who has data may wait for a buffer.
            const bool tried = maybe_data;
            maybe_data = false;
            if (tried || !buffers->exhausted() || buffers->grow()) {
                arm(here);
            } else {
                parked = true;
                buffers->wait(*this);
            }
            return;
        } else if (!stopping || (res != -ECANCELED && !was_interrupted(res))) {
            ended = true;
            end_res = res;
        }
        if (!job) return;
        if (kept.empty() && !ended) {
            if (!armed) arm(here);
            return;
        }
        taking = true;
        here.make_ready(*std::exchange(job, nullptr));
    }

    /// Begins the wait of `waiting`, as a leaf's start.
    bool begin_wait(job_block& waiting) {
        ringlet::detail::require(job == nullptr && !taking,
                                 "two jobs receive from the same socket: let one receive, and pass on what it gets");
        loop& here = loop::current();
        buffers = &Derived::buffers_of(here);  // the first call registers them, which may fail
        if (!kept.empty() || ended) {
            taking = true;
            return ringlet::detail::suspend_once(waiting);
        }
        if (!armed && !parked) arm(here);
        job = &waiting;
        waiting.wait_object = this;
        waiting.waiting = &wait_kind;
        return true;
    }

    /// The owner goes; `this` does once the kernel has let go of it.
    void abandon() noexcept {
        ringlet::detail::require(job == nullptr,
                                 "a receiver was destroyed while a job waits in it: cancel and join that job first");
        if (parked) link.unlink();
        if (!armed) {
            delete &self();
            return;
        }
        orphan = true;
        stop(loop::current());
    }

    // While the request stands: it is to end. While it waits for a buffer: one has come.
    static void told(listed& base) noexcept {
        auto& one = static_cast<multishot_receive&>(base);
        if (!one.parked) {
            one.stop(loop::current());
            return;
        }
        one.parked = false;
        one.woken = true;
        one.arm(loop::current());
    }
    std::uint64_t user_data() noexcept {
        return reinterpret_cast<std::uint64_t>(static_cast<completion*>(this)) | tag_completion;
    }
    static multishot_receive& of(const job_block& waiting) noexcept {
        return *static_cast<multishot_receive*>(waiting.wait_object);
    }
    static void cancel(job_block& waiting) noexcept {
        multishot_receive& one = of(waiting);
        one.job = nullptr;
        if (one.parked) one.link.unlink();  // the buffer is for somebody who waits
        one.parked = false;
        waiting.res = ringlet::detail::wait_cancelled;
        loop::current().make_ready(waiting);
    }
    static void describe(const job_block& waiting, std::string& out) {
        const int fd = of(waiting).socket.get();
        out += fmt::format(" fd {}, {}", fd, describe_fd(fd));
    }
    static void describe_plainly(const job_block& waiting, const ringlet::detail::plain_writer& out) noexcept {
        out.descriptor(of(waiting).socket.get());
    }
    static std::string name_of(const listed& base) {
        return fmt::format("{} {}", Derived::name,
                           describe_fd(static_cast<const multishot_receive&>(base).socket.get()));
    }
    static constexpr listed::kind entry{&told, &name_of};
    static constexpr ringlet::detail::wait_kind wait_kind{
        .name = Derived::name, .cancel = &cancel, .describe = &describe, .describe_in_handler = &describe_plainly};

    Derived& self() noexcept { return static_cast<Derived&>(*this); }

    owned_fd socket;
    std::int32_t end_res = 0;  // once `ended`: 0, or -errno
    job_block* job = nullptr;  // who gets what comes next
    buffer_ring::queue kept;   // what came and was not taken
    // One bit each: connections that wait are many.
    bool armed : 1 = false;
    bool asked_before : 1 = false;  // this request is not the first
    bool maybe_data : 1 = true;     // the socket may hold data: try before waiting for it
    bool left_some : 1 = true;      // in the socket, as the kernel said with the last data
    bool stopping : 1 = false;
    bool ended : 1 = false;
    bool parked : 1 = false;  // waits for a buffer
    bool woken : 1 = false;   // was given the chance to take one
    bool orphan : 1 = false;
    bool polled_first : 1 = false;  // and nothing has emptied the socket since
    bool taking : 1 = false;        // a job that is to get something is about to run
    buffer_ring* buffers = nullptr;
};

}  // namespace ringlet::io::detail
