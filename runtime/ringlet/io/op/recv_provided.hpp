// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace ringlet::io {

/// Receives bytes into one of the loop's provided buffers: while nothing has come, no buffer is held.
///
/// Result:    a lease on 1 or more bytes; an empty lease when the peer closed its sending side. Sets `more` to whether
///            the socket holds more data already.
/// Errors:    std::system_error as recv(2); `cancelled`, and then nothing was received. When all buffers are out and
///            no more can be made the operation waits for one (ENOBUFS is never seen).
/// Lifetime:  borrows the socket and `more` until the co_await ends; the lease must not outlive the loop.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_RECV with IOSQE_BUFFER_SELECT, Linux 5.19; io_uring_prep_recv(3).
class [[nodiscard("nothing is submitted until this is awaited")]] recv_provided_op final
    : public repeated_operation<recv_provided_op, buffer_lease> {
public:
    recv_provided_op(fd_ref socket, bool& more) noexcept : fd_{socket}, more_{&more} {}
    recv_provided_op(recv_provided_op&& other) noexcept : recv_provided_op{other.fd_, *other.more_} {}

    static constexpr std::string_view name = "recv";
    bool start(job_block& job) {
        loop::current().buffers();  // the first call registers them, which may fail
        return repeated_operation::start(job);
    }
    void prepare(io_uring_sqe& sqe) noexcept {
        io_uring_prep_recv(&sqe, fd_.get(), nullptr, 0, 0);
        sqe.flags |= IOSQE_BUFFER_SELECT;
        sqe.buf_group = loop::current().buffers().group();
        // Where the last receive emptied the socket, do not try before the next data are there.
        if (!*more_) sqe.ioprio |= IORING_RECVSEND_POLL_FIRST;
    }
    after_cqe next(std::int32_t res, std::uint32_t flags) noexcept {
        buffer_ring& ring = loop::current().buffers();
        const bool brought = ring.brought(res, flags);
        if (res == -ENOBUFS) {
            // The kernel looks for a buffer before it looks for data. Only who has data may wait for a buffer: another
            // would be woken for one, not take it, and leave those who need it asleep.
            if (std::exchange(*more_, false)) return after_cqe::again;
            if (!ring.exhausted() || ring.grow()) return after_cqe::again;  // one has come back since, or is new
            ring.wait(parking_);
            return after_cqe::parked;
        }
        if (std::exchange(woken_, false) && !brought) ring.wake_one();
        *more_ = (flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
        return after_cqe::done;
    }
    buffer_lease finish(std::int32_t res, std::uint32_t flags) noexcept {
        if (res == 0) return {};
        return loop::current().buffers().take(flags, static_cast<std::size_t>(res));
    }
    void unpark() noexcept { parking_.link.unlink(); }
    std::string subject() const { return detail::describe_fd(fd_.get()); }
    int descriptor() const noexcept { return fd_.get(); }

private:
    struct parking : listed {
        explicit parking(recv_provided_op& op) noexcept : listed{entry}, self{&op} {}
        static void go_on(listed& w) noexcept {
            recv_provided_op& op = *static_cast<parking&>(w).self;
            op.woken_ = true;
            op.resubmit();
        }
        static constexpr listed::kind entry{&go_on};
        recv_provided_op* self;
    };
    friend parking;

    fd_ref fd_;
    bool woken_ = false;
    bool* more_;
    parking parking_{*this};
};

}  // namespace ringlet::io
