// SPDX-License-Identifier: MIT
// The limit: a TCP echo server written by hand on liburing, in the best form that we know, against which the runtime's
// is measured. One thread, DEFER_TASKRUN, multishot accept and recv, a provided-buffer ring; a buffer that was received
// is sent from where it lies and goes back to the ring after its send.
//
// Try it:  bench-limit-echo -p 7000     It prints the address, flushed at once; -p 0 takes a free port.
#include "common/process.hpp"
#include "common/ring.hpp"
#include "limits/echo_options.hpp"
#include "limits/listener.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

namespace {

using bench::echo_options;

constexpr std::uint16_t no_buffer = 0xffff;

enum class event : std::uint32_t { accept, receive, send, close, shutdown, back_off };

std::uint64_t tag(event what, unsigned slot = 0) { return std::uint64_t{slot} << 8 | static_cast<std::uint32_t>(what); }

/// Indexed by the file descriptor (or the direct descriptor): dense, and never reused before we have closed it.
struct connection {
    std::uint16_t first = no_buffer;  // received and not yet sent back, oldest first
    std::uint16_t last = no_buffer;
    std::uint32_t sent = 0;  // of the oldest
    bool receiving = false;
    bool sending = false;
    bool starved = false;  // waits for a buffer
    bool ending = false;
};

[[noreturn]] void fail(const char* what, int error) {
    fmt::print(stderr, "bench-limit-echo: {}: {}\n", what, std::strerror(error));
    std::exit(2);
}

class echo_server {
public:
    explicit echo_server(const echo_options& options)
        : options_{options},
          ring_{1024, 16384},
          pool_{ring_, options.buffers, options.buffer_bytes},
          next_(options.buffers, no_buffer),
          length_(options.buffers) {
        if (options_.direct && io_uring_register_files_sparse(ring_.get(), 16384) < 0)
            fail("direct descriptors", ENOMEM);
    }

    [[noreturn]] void run() {
        listener_ = bench::listen_on_loopback("Echoing TCP at ", options_.port, options_.congestion);
        arm_accept();
        for (;;) {
            ring_.submit_and_wait(options_.spin_ns);
            unsigned head = 0;
            unsigned count = 0;
            io_uring_cqe* cqe = nullptr;
            io_uring_for_each_cqe(ring_.get(), head, cqe) {
                dispatch(*cqe);
                ++count;
            }
            io_uring_cq_advance(ring_.get(), count);
            pool_.publish();
            feed_starved();
        }
    }

private:
    void dispatch(const io_uring_cqe& cqe) {
        const auto slot = static_cast<unsigned>(cqe.user_data >> 8);
        switch (static_cast<event>(cqe.user_data & 0xff)) {
            case event::receive:
                return received(slot, cqe.res, cqe.flags);
            case event::send:
                return sent(slot, cqe.res);
            case event::accept:
                return accepted(cqe.res, cqe.flags);
            case event::back_off:
                return arm_accept();
            case event::close:
            case event::shutdown:
                return;
        }
    }

    void arm_accept() {
        io_uring_sqe* sqe = ring_.entry();
        if (options_.direct)
            io_uring_prep_multishot_accept_direct(sqe, listener_, nullptr, nullptr, 0);
        else
            io_uring_prep_multishot_accept(sqe, listener_, nullptr, nullptr, SOCK_CLOEXEC);
        sqe->user_data = tag(event::accept);
    }

    void accepted(int result, unsigned flags) {
        if (result >= 0) {
            const auto slot = static_cast<unsigned>(result);
            if (slot >= connections_.size()) connections_.resize(slot + slot / 2 + 16);
            connections_[slot] = {};
            arm_receive(slot);
        }
        if ((flags & IORING_CQE_F_MORE) != 0) return;
        switch (-result) {
            case EMFILE:
            case ENFILE:
            case ENOBUFS:
            case ENOMEM: {  // accepting again at once would fail at once
                io_uring_sqe* sqe = ring_.entry();
                io_uring_prep_timeout(sqe, &accept_pause_, 0, 0);
                sqe->user_data = tag(event::back_off);
                return;
            }
            case EINVAL:
            case EBADF:
                fail("accept", -result);
            default:
                arm_accept();
        }
    }

    void arm_receive(unsigned slot) {
        io_uring_sqe* sqe = ring_.entry();
        io_uring_prep_recv_multishot(sqe, static_cast<int>(slot), nullptr, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT | fixed();
        sqe->buf_group = bench::buffer_pool::group;
        sqe->user_data = tag(event::receive, slot);
        connections_[slot].receiving = true;
    }

    void received(unsigned slot, int result, unsigned flags) {
        connection& peer = connections_[slot];
        if ((flags & IORING_CQE_F_MORE) == 0) peer.receiving = false;
        if (result > 0) {
            const auto buffer = static_cast<std::uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT);
            --free_buffers_;
            if (peer.ending) {
                recycle(buffer);
            } else {
                length_[buffer] = static_cast<std::uint32_t>(result);
                next_[buffer] = no_buffer;
                corrupt(buffer);
                (peer.first == no_buffer ? peer.first : next_[peer.last]) = buffer;
                peer.last = buffer;
                if (!peer.sending) send_first(slot, peer);
                if (!peer.receiving) arm_receive(slot);
            }
        } else if (result == -ENOBUFS && !peer.ending) {
            peer.starved = true;
            starved_.push_back(slot);
            return;
        } else {
            peer.ending = true;  // end of stream, or an error: what was received is still sent
        }
        close_when_done(slot, peer);
    }

    void send_first(unsigned slot, connection& peer) {
        io_uring_sqe* sqe = ring_.entry();
        io_uring_prep_send(sqe, static_cast<int>(slot), pool_.data(peer.first) + peer.sent,
                           length_[peer.first] - peer.sent, MSG_NOSIGNAL | MSG_WAITALL);
        sqe->flags |= fixed();
        sqe->user_data = tag(event::send, slot);
        peer.sending = true;
    }

    void sent(unsigned slot, int result) {
        connection& peer = connections_[slot];
        peer.sending = false;
        if (result < 0) return drop(slot, peer);
        peer.sent += static_cast<std::uint32_t>(result);
        if (peer.sent == length_[peer.first]) pop_first(peer);
        if (peer.first != no_buffer) return send_first(slot, peer);
        close_when_done(slot, peer);
    }

    void pop_first(connection& peer) {
        const std::uint16_t done = peer.first;
        peer.first = next_[done];
        peer.sent = 0;
        recycle(done);
    }

    void recycle(std::uint16_t buffer) {
        pool_.recycle(buffer);
        ++free_buffers_;
    }

    void drop(unsigned slot, connection& peer) {
        while (peer.first != no_buffer) pop_first(peer);
        peer.ending = true;
        if (peer.receiving) {  // ends the multishot receive with 0
            io_uring_sqe* sqe = ring_.entry();
            io_uring_prep_shutdown(sqe, static_cast<int>(slot), SHUT_RDWR);
            sqe->flags |= fixed();
            sqe->user_data = tag(event::shutdown, slot);
        }
        close_when_done(slot, peer);
    }

    void close_when_done(unsigned slot, connection& peer) {
        if (!peer.ending || peer.receiving || peer.sending || peer.starved || peer.first != no_buffer) return;
        peer.ending = false;
        if (!options_.direct) {
            ::close(static_cast<int>(slot));
            return;
        }
        io_uring_sqe* sqe = ring_.entry();
        io_uring_prep_close_direct(sqe, slot);
        sqe->user_data = tag(event::close, slot);
    }

    /// Connections that found the buffer ring empty wait here until sends have given buffers back.
    void feed_starved() {
        for (unsigned credit = free_buffers_; credit > 0 && !starved_.empty();) {
            const unsigned slot = starved_.back();
            starved_.pop_back();
            connection& peer = connections_[slot];
            peer.starved = false;
            if (peer.ending) {
                close_when_done(slot, peer);
            } else {
                arm_receive(slot);
                --credit;
            }
        }
    }

    void corrupt(std::uint16_t buffer) {
        if (options_.corrupt_after != 0 && ++chunks_ == options_.corrupt_after)
            pool_.data(buffer)[length_[buffer] / 2] ^= std::byte{0x20};
    }

    [[nodiscard]] std::uint8_t fixed() const { return options_.direct ? IOSQE_FIXED_FILE : 0; }

    echo_options options_;
    bench::ring ring_;
    bench::buffer_pool pool_;
    std::vector<connection> connections_;
    std::vector<std::uint16_t> next_;    // by buffer: the one to send after it
    std::vector<std::uint32_t> length_;  // by buffer
    std::vector<unsigned> starved_;
    unsigned free_buffers_ = options_.buffers;
    std::uint64_t chunks_ = 0;
    __kernel_timespec accept_pause_{0, 50'000'000};
    int listener_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
    const echo_options options = bench::parse_echo_options(argc, argv);
    bench::raise_file_limit();
    if (options.core >= 0) bench::pin_to_core(options.core);
    echo_server{options}.run();
}
