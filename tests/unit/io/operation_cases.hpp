// SPDX-License-Identifier: MIT
// Every one-shot operation with what its SQE must hold and how its result reads.
#pragma once

#include "core/support.hpp"
#include <ringlet/io/op/accept.hpp>
#include <ringlet/io/op/close.hpp>
#include <ringlet/io/op/connect.hpp>
#include <ringlet/io/op/fallocate.hpp>
#include <ringlet/io/op/fsync.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/op/openat2.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/read_full.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/recvmsg.hpp>
#include <ringlet/io/op/renameat.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/op/send_all.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/io/op/sendmsg_all.hpp>
#include <ringlet/io/op/shutdown.hpp>
#include <ringlet/io/op/splice.hpp>
#include <ringlet/io/op/statx.hpp>
#include <ringlet/io/op/unlinkat.hpp>
#include <ringlet/io/op/write.hpp>
#include <ringlet/io/op/write_all.hpp>

#include <array>
#include <concepts>
#include <string>
#include <string_view>
#include <tuple>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace ringlet_tests {

using namespace ringlet::io;

/// What operations borrow. No descriptor here is real: the scripted engine never looks.
struct borrowed {
    static constexpr int fd = 1'000'001;
    static constexpr int other_fd = 1'000'002;
    std::array<std::byte, 16> bytes{};
    sockaddr_storage address{};
    struct msghdr message{};
    iovec part{bytes.data(), 16};
    open_how how{};
    struct statx status{};
    fd_ref ref{fd};
    fd_ref other_ref{other_fd};
};
inline borrowed mine;

template <class T>
std::uint64_t address_of(T* pointer) {
    return reinterpret_cast<std::uint64_t>(pointer);
}

/// How a result reads in a test: a number, or the descriptor that it owns (and no longer does).
inline int number(std::size_t n) { return static_cast<int>(n); }
inline int number(unsigned n) { return static_cast<int>(n); }
inline int number(owned_fd fd) { return fd.release(); }

// Each case: make(); the name in error texts; a good `res` and what it gives (0 for void); whether 0 is the end of a
// stream; whether a success is a descriptor; and check(sqe).
struct accept_case {
    static auto make() { return accept_op{mine.ref}; }
    static constexpr std::string_view name = "accept";
    static constexpr int good = 900, value = 900;
    static constexpr bool has_end = false, gives_fd = true;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_ACCEPT && s.fd == mine.fd && s.accept_flags == SOCK_CLOEXEC && s.ioprio == 0;
    }
};
struct close_case {
    static auto make() { return close_op{mine.ref}; }
    static constexpr std::string_view name = "close";
    static constexpr int good = 0, value = 0;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) { return s.opcode == IORING_OP_CLOSE && s.fd == mine.fd; }
};
struct connect_case {
    static auto make() { return connect_op{mine.ref, reinterpret_cast<sockaddr&>(mine.address), 28}; }
    static constexpr std::string_view name = "connect";
    static constexpr int good = 0, value = 0;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_CONNECT && s.fd == mine.fd && s.addr == address_of(&mine.address) && s.off == 28;
    }
};
struct fallocate_case {
    static auto make() { return fallocate_op{mine.ref, FALLOC_FL_KEEP_SIZE, 3, std::int64_t{1} << 40}; }
    static constexpr std::string_view name = "fallocate";
    static constexpr int good = 0, value = 0;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_FALLOCATE && s.fd == mine.fd && s.len == FALLOC_FL_KEEP_SIZE && s.off == 3 &&
               s.addr == std::uint64_t{1} << 40;
    }
};
struct fsync_case {
    static auto make() { return fsync_op{mine.ref, IORING_FSYNC_DATASYNC}; }
    static constexpr std::string_view name = "fsync";
    static constexpr int good = 0, value = 0;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_FSYNC && s.fd == mine.fd && s.fsync_flags == IORING_FSYNC_DATASYNC;
    }
};
struct nop_case {
    static auto make() { return nop_op{}; }
    static constexpr std::string_view name = "nop";
    static constexpr int good = 0, value = 0;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) { return s.opcode == IORING_OP_NOP; }
};
struct openat2_case {
    static auto make() { return openat2_op{mine.ref, "a name", mine.how}; }
    static constexpr std::string_view name = "open a name";
    static constexpr int good = 901, value = 901;
    static constexpr bool has_end = false, gives_fd = true;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_OPENAT2 && s.fd == mine.fd && s.addr2 == address_of(&mine.how) &&
               s.len == sizeof(open_how) && std::string_view{reinterpret_cast<const char*>(s.addr)} == "a name";
    }
};
struct poll_case {
    static auto make() { return poll_op{mine.ref, POLLIN | POLLRDHUP}; }
    static constexpr std::string_view name = "poll";
    static constexpr int good = POLLIN | POLLHUP, value = POLLIN | POLLHUP;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_POLL_ADD && s.fd == mine.fd && s.poll32_events == (POLLIN | POLLRDHUP);
    }
};
struct read_case {
    static auto make() { return read_op{mine.ref, mine.bytes, 77}; }
    static constexpr std::string_view name = "read";
    static constexpr int good = 5, value = 5;
    static constexpr bool has_end = true, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_READ && s.fd == mine.fd && s.addr == address_of(mine.bytes.data()) &&
               s.len == 16 && s.off == 77;
    }
};
struct read_full_case : read_case {
    static auto make() { return read_full_op{mine.ref, mine.bytes, 77}; }
    static constexpr int good = 16, value = 16;
};
struct recv_case {
    static auto make() { return recv_op{mine.ref, mine.bytes, MSG_PEEK}; }
    static constexpr std::string_view name = "recv";
    static constexpr int good = 5, value = 5;
    static constexpr bool has_end = true, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_RECV && s.fd == mine.fd && s.addr == address_of(mine.bytes.data()) &&
               s.len == 16 && s.msg_flags == MSG_PEEK;
    }
};
struct recvmsg_case {
    static auto make() { return recvmsg_op{mine.ref, mine.message, MSG_TRUNC}; }
    static constexpr std::string_view name = "recvmsg";
    static constexpr int good = 5, value = 5;
    static constexpr bool has_end = true, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_RECVMSG && s.fd == mine.fd && s.addr == address_of(&mine.message) &&
               s.msg_flags == MSG_TRUNC;
    }
};
struct renameat_case {
    static auto make() { return renameat_op{mine.ref, "old", mine.other_ref, "new", 1}; }
    static constexpr std::string_view name = "rename old to new";
    static constexpr int good = 0, value = 0;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_RENAMEAT && s.fd == mine.fd && s.len == static_cast<unsigned>(mine.other_fd) &&
               s.rename_flags == 1 && std::string_view{reinterpret_cast<const char*>(s.addr)} == "old" &&
               std::string_view{reinterpret_cast<const char*>(s.addr2)} == "new";
    }
};
struct send_case {
    static auto make() { return send_op{mine.ref, mine.bytes, MSG_MORE}; }
    static constexpr std::string_view name = "send";
    static constexpr int good = 5, value = 5;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_SEND && s.fd == mine.fd && s.addr == address_of(mine.bytes.data()) &&
               s.len == 16 && s.msg_flags == (MSG_MORE | MSG_NOSIGNAL);
    }
};
struct send_all_case : send_case {
    static auto make() { return send_all_op{mine.ref, mine.bytes}; }
    static constexpr int good = 16, value = 0;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_SEND && s.len == 16 && s.msg_flags == (MSG_WAITALL | MSG_NOSIGNAL);
    }
};
struct sendmsg_case {
    static auto make() { return sendmsg_op{mine.ref, mine.message}; }
    static constexpr std::string_view name = "sendmsg";
    static constexpr int good = 5, value = 5;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_SENDMSG && s.fd == mine.fd && s.addr == address_of(&mine.message) &&
               s.msg_flags == MSG_NOSIGNAL;
    }
};
struct sendmsg_all_case : send_case {
    static auto make() {
        mine.part = {mine.bytes.data(), 16};
        return sendmsg_all_op{mine.ref, {&mine.part, 1}};
    }
    static constexpr int good = 16, value = 0;
    static bool check(const io_uring_sqe& s) {
        const auto& message = *reinterpret_cast<const msghdr*>(s.addr);
        return s.opcode == IORING_OP_SENDMSG && message.msg_iovlen == 1 && message.msg_iov[0].iov_len == 16 &&
               s.msg_flags == (MSG_WAITALL | MSG_NOSIGNAL);
    }
};
struct shutdown_case {
    static auto make() { return shutdown_op{mine.ref, SHUT_WR}; }
    static constexpr std::string_view name = "shutdown";
    static constexpr int good = 0, value = 0;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_SHUTDOWN && s.fd == mine.fd && s.len == SHUT_WR;
    }
};
struct splice_case {
    static auto make() { return splice_op{mine.ref, 8, mine.other_ref, -1, 4096, SPLICE_F_MOVE}; }
    static constexpr std::string_view name = "splice";
    static constexpr int good = 5, value = 5;
    static constexpr bool has_end = true, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_SPLICE && s.fd == mine.other_fd && s.splice_fd_in == mine.fd &&
               s.splice_off_in == 8 && s.off == ~std::uint64_t{0} && s.len == 4096 && s.splice_flags == SPLICE_F_MOVE;
    }
};
struct statx_case {
    static auto make() { return statx_op{mine.ref, "a name", AT_SYMLINK_NOFOLLOW, STATX_SIZE, mine.status}; }
    static constexpr std::string_view name = "statx a name";
    static constexpr int good = 0, value = 0;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_STATX && s.fd == mine.fd && s.off == address_of(&mine.status) &&
               s.len == STATX_SIZE && s.statx_flags == AT_SYMLINK_NOFOLLOW;
    }
};
struct unlinkat_case {
    static auto make() { return unlinkat_op{mine.ref, "a name", AT_REMOVEDIR}; }
    static constexpr std::string_view name = "unlink a name";
    static constexpr int good = 0, value = 0;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_UNLINKAT && s.fd == mine.fd && s.unlink_flags == AT_REMOVEDIR &&
               std::string_view{reinterpret_cast<const char*>(s.addr)} == "a name";
    }
};
struct write_case {
    static auto make() { return write_op{mine.ref, mine.bytes, 78}; }
    static constexpr std::string_view name = "write";
    static constexpr int good = 5, value = 5;
    static constexpr bool has_end = false, gives_fd = false;
    static bool check(const io_uring_sqe& s) {
        return s.opcode == IORING_OP_WRITE && s.fd == mine.fd && s.addr == address_of(mine.bytes.data()) &&
               s.len == 16 && s.off == 78;
    }
};
struct write_all_case : write_case {
    static auto make() { return write_all_op{mine.ref, mine.bytes, 78}; }
    static constexpr int good = 16, value = 0;
};

#define RINGLET_TESTS_EVERY_OPERATION                                                                                \
    accept_case, close_case, connect_case, fallocate_case, fsync_case, nop_case, openat2_case, poll_case, read_case, \
        read_full_case, recv_case, recvmsg_case, renameat_case, send_case, send_all_case, sendmsg_case,              \
        sendmsg_all_case, shutdown_case, splice_case, statx_case, unlinkat_case, write_case, write_all_case

}  // namespace ringlet_tests
