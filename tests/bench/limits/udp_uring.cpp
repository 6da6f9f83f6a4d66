// SPDX-License-Identifier: MIT
// The limit for UDP: an echo server written by hand on liburing. One thread, DEFER_TASKRUN, one multishot recvmsg into a
// provided-buffer ring; each datagram is sent from where it lies by a sendmsg request, all of a turn with one system call,
// and its buffer goes back to the ring after that.
//
// Try it:  bench-limit-udp-uring -p 7000     It prints the address, flushed at once; -p 0 takes a free port.
#include "common/process.hpp"
#include "common/ring.hpp"
#include "limits/datagram_socket.hpp"
#include "limits/echo_options.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace {

using bench::echo_options;

constexpr std::uint64_t of_the_receive = ~std::uint64_t{0};

[[noreturn]] void fail(const char* what, int error) {
    fmt::print(stderr, "bench-limit-udp-uring: {}: {}\n", what, std::strerror(error));
    std::exit(2);
}

class echo_server {
public:
    explicit echo_server(const echo_options& options)
        : options_{options},
          ring_{1024, 16384},
          pool_{ring_, options.buffers, options.buffer_bytes},
          answers_(options.buffers) {
        asked_.msg_namelen = sizeof(sockaddr_in);
    }

    [[noreturn]] void run() {
        socket_ = bench::bind_to_loopback(options_.port);
        arm();
        for (;;) {
            ring_.submit_and_wait(options_.spin_ns);
            unsigned head = 0;
            unsigned count = 0;
            io_uring_cqe* cqe = nullptr;
            io_uring_for_each_cqe(ring_.get(), head, cqe) {
                if (cqe->user_data == of_the_receive)
                    received(cqe->res, cqe->flags);
                else
                    pool_.recycle(static_cast<unsigned>(cqe->user_data));
                ++count;
            }
            io_uring_cq_advance(ring_.get(), count);
            pool_.publish();
            if (!armed_) arm();
        }
    }

private:
    struct answer {
        msghdr message;
        iovec part;
    };

    void arm() {
        io_uring_sqe* sqe = ring_.entry();
        io_uring_prep_recvmsg_multishot(sqe, socket_, &asked_, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = bench::buffer_pool::group;
        sqe->user_data = of_the_receive;
        armed_ = true;
    }

    void received(int result, unsigned flags) {
        if ((flags & IORING_CQE_F_MORE) == 0) armed_ = false;
        if (result == -ENOBUFS) return;
        if (result < 0) fail("recvmsg", -result);
        const unsigned id = flags >> IORING_CQE_BUFFER_SHIFT;
        io_uring_recvmsg_out* const told = io_uring_recvmsg_validate(pool_.data(id), result, &asked_);
        if (told == nullptr) fail("recvmsg", EINVAL);
        answer& back = answers_[id];
        back.part = {io_uring_recvmsg_payload(told, &asked_), io_uring_recvmsg_payload_length(told, result, &asked_)};
        back.message = {io_uring_recvmsg_name(told), told->namelen, &back.part, 1, nullptr, 0, 0};
        if (options_.corrupt_after != 0 && ++datagrams_ == options_.corrupt_after)
            static_cast<std::byte*>(back.part.iov_base)[back.part.iov_len / 2] ^= std::byte{0x20};
        io_uring_sqe* sqe = ring_.entry();
        io_uring_prep_sendmsg(sqe, socket_, &back.message, 0);
        sqe->user_data = id;
    }

    echo_options options_;
    bench::ring ring_;
    bench::buffer_pool pool_;
    std::vector<answer> answers_;  // by buffer
    msghdr asked_{};
    std::uint64_t datagrams_ = 0;
    int socket_ = -1;
    bool armed_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    const echo_options options = bench::parse_echo_options(argc, argv);
    if (options.core >= 0) bench::pin_to_core(options.core);
    echo_server{options}.run();
}
