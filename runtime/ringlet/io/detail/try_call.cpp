// SPDX-License-Identifier: MIT
#include <ringlet/io/detail/try_call.hpp>

#include <climits>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace ringlet::io::detail {
namespace {

constexpr std::uint32_t readable = EPOLLIN | EPOLLRDHUP;
constexpr std::uint32_t writable = EPOLLOUT;

// What one call moves at most: MAX_RW_COUNT.
constexpr std::size_t bytes_max = 0x7ffff000;

attempt done(std::int64_t res) noexcept { return {.res = static_cast<std::int32_t>(res)}; }
attempt wait_for(std::uint32_t events) noexcept { return {.what = attempt::kind::wait, .wants = events}; }
attempt for_a_thread() noexcept { return {.what = attempt::kind::file}; }

// Of a call that gave -1 or a result.
attempt judge(std::int64_t res, std::uint32_t events) noexcept {
    if (res >= 0) return done(res);
    return errno == EAGAIN ? wait_for(events) : done(-errno);
}

template <class F>
auto uninterrupted(F&& call) noexcept {
    for (;;)
        if (const auto res = call(); res >= 0 || errno != EINTR) return res;
}

// With MSG_WAITALL a short count is no end. What was moved before an error is the result, and the error comes next time.
template <class F>
attempt move(request& r, std::size_t whole, bool all, std::uint32_t events, F&& call) {
    for (;;) {
        const std::int64_t n = uninterrupted(call);
        if (n < 0 && errno == EAGAIN) return wait_for(events);
        if (n < 0) return done(r.moved > 0 ? static_cast<std::int64_t>(r.moved) : -errno);
        r.moved += static_cast<std::size_t>(n);
        if (!all || n == 0 || r.moved >= whole) return done(static_cast<std::int64_t>(r.moved));
    }
}

// The caller said MSG_DONTWAIT itself: it wants the EAGAIN.
attempt unless_impatient(const request& r, const attempt& a) noexcept {
    if (a.what == attempt::kind::wait && (r.sqe.msg_flags & MSG_DONTWAIT) != 0)
        return done(r.moved > 0 ? static_cast<std::int64_t>(r.moved) : -EAGAIN);
    return a;
}

bool wants_all(const request& r) noexcept { return (r.sqe.msg_flags & MSG_WAITALL) != 0; }
int flags_of(const request& r) noexcept {
    return static_cast<int>((r.sqe.msg_flags & ~MSG_WAITALL) | MSG_DONTWAIT | MSG_NOSIGNAL);
}
int option_of(int socket, int name) noexcept {
    int value = -1;
    socklen_t length = sizeof value;
    ::getsockopt(socket, SOL_SOCKET, name, &value, &length);
    return value;
}

attempt try_recv(request& r, std::span<std::byte> room) {
    const bool all = wants_all(r) && option_of(r.sqe.fd, SO_TYPE) != SOCK_DGRAM;
    const attempt a = move(r, room.size(), all, readable, [&] {
        const auto rest = room.subspan(r.moved);
        return ::recv(r.sqe.fd, rest.data(), rest.size(), flags_of(r));
    });
    return unless_impatient(r, a);
}

attempt try_send(request& r) {
    const auto* data = reinterpret_cast<const std::byte*>(r.sqe.addr);
    const attempt a = move(r, r.sqe.len, wants_all(r), writable,
                           [&] { return ::send(r.sqe.fd, data + r.moved, r.sqe.len - r.moved, flags_of(r)); });
    return unless_impatient(r, a);
}

void keep(request& r) {
    const msghdr& asked = *reinterpret_cast<const msghdr*>(r.sqe.addr);
    auto kept = std::make_unique<kept_message>();
    kept->header = asked;
    for (std::size_t i = 0, left = bytes_max; i < asked.msg_iovlen && left > 0; ++i) {
        iovec part = asked.msg_iov[i];
        part.iov_len = std::min(part.iov_len, left);
        left -= part.iov_len;
        kept->parts.push_back(part);
    }
    kept->header.msg_iovlen = kept->parts.size();
    kept->header.msg_iov = kept->parts.data();
    if (asked.msg_name != nullptr && asked.msg_namelen <= sizeof kept->name) {
        std::memcpy(&kept->name, asked.msg_name, asked.msg_namelen);
        kept->header.msg_name = &kept->name;
    }
    r.message = std::move(kept);
}

void skip(msghdr& message, std::size_t bytes) noexcept {
    while (message.msg_iovlen > 0 && bytes >= message.msg_iov->iov_len) {
        bytes -= message.msg_iov->iov_len;
        ++message.msg_iov;
        --message.msg_iovlen;
    }
    if (bytes == 0) return;
    message.msg_iov->iov_base = static_cast<std::byte*>(message.msg_iov->iov_base) + bytes;
    message.msg_iov->iov_len -= bytes;
}

// The receiver of an unconnected local datagram has no readiness that the sender could wait for.
bool cannot_wait(const request& r, const msghdr& asked) noexcept {
    return asked.msg_name != nullptr && option_of(r.sqe.fd, SO_DOMAIN) == AF_UNIX;
}

attempt try_sendmsg(request& r) {
    if (!r.message) {
        // Most need no copy: they go out whole at once.
        const msghdr& asked = *reinterpret_cast<const msghdr*>(r.sqe.addr);
        std::size_t whole = 0;
        for (std::size_t i = 0; i < asked.msg_iovlen; ++i) whole += asked.msg_iov[i].iov_len;
        const std::int64_t n = uninterrupted([&] { return ::sendmsg(r.sqe.fd, &asked, flags_of(r)); });
        if (n < 0 && (errno != EAGAIN || cannot_wait(r, asked))) return done(-errno);
        if (n >= 0 && (!wants_all(r) || static_cast<std::size_t>(n) == std::min(whole, bytes_max))) return done(n);
        keep(r);
        if (n > 0) {
            r.moved = static_cast<std::size_t>(n);
            skip(r.message->header, r.moved);
            r.message->header.msg_controllen = 0;  // went with the first bytes
        }
    }
    std::size_t whole = r.moved;
    for (std::size_t i = 0; i < r.message->header.msg_iovlen; ++i) whole += r.message->header.msg_iov[i].iov_len;
    const attempt a = move(r, whole, wants_all(r), writable, [&] {
        const ssize_t n = ::sendmsg(r.sqe.fd, &r.message->header, flags_of(r));
        if (n > 0) {
            skip(r.message->header, static_cast<std::size_t>(n));
            r.message->header.msg_controllen = 0;
        }
        return n;
    });
    return unless_impatient(r, a);
}

attempt try_recvmsg(request& r) {
    auto* const message = reinterpret_cast<msghdr*>(r.sqe.addr);
    if (!wants_all(r) || option_of(r.sqe.fd, SO_TYPE) == SOCK_DGRAM) {
        const auto n = uninterrupted([&] { return ::recvmsg(r.sqe.fd, message, flags_of(r)); });
        return unless_impatient(r, judge(n, readable));
    }
    if (!r.message) keep(r);
    std::size_t whole = r.moved;
    for (std::size_t i = 0; i < r.message->header.msg_iovlen; ++i) whole += r.message->header.msg_iov[i].iov_len;
    iovec* const callers = message->msg_iov;
    const std::size_t callers_count = message->msg_iovlen;
    const attempt a = move(r, whole, true, readable, [&] {
        message->msg_iov = r.message->header.msg_iov;
        message->msg_iovlen = r.message->header.msg_iovlen;
        const ssize_t n = ::recvmsg(r.sqe.fd, message, flags_of(r));
        if (n > 0) skip(r.message->header, static_cast<std::size_t>(n));
        return n;
    });
    message->msg_iov = callers;
    message->msg_iovlen = callers_count;
    return unless_impatient(r, a);
}

// accept4(2) has no flag for it, and a connection that is taken by somebody else would leave us blocked. Looked at each
// time: who shares the socket may have changed it.
void make_nonblocking(int fd) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) == 0 && option_of(fd, SO_ACCEPTCONN) == 1)
        ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

attempt try_accept(request& r) {
    make_nonblocking(r.sqe.fd);
    const auto fd = uninterrupted([&] {
        return ::accept4(r.sqe.fd, reinterpret_cast<sockaddr*>(r.sqe.addr), reinterpret_cast<socklen_t*>(r.sqe.addr2),
                         static_cast<int>(r.sqe.accept_flags));
    });
    return judge(fd, readable);
}

short ready_events(int fd, std::uint32_t events) noexcept {
    pollfd one{fd, static_cast<short>(events), 0};
    return ::poll(&one, 1, 0) > 0 ? one.revents : short{0};
}

// A second call, once the socket is ready, tells what came of the first and brings the socket's own state up to date. As
// with the ring, a failure is taken from SO_ERROR and the socket stays as it is, until another connect clears it and tries
// again.
attempt try_connect(request& r) {
    if (r.message && (ready_events(r.sqe.fd, POLLOUT) & POLLERR) != 0) {
        if (const int error = option_of(r.sqe.fd, SO_ERROR); error > 0) return done(-error);
    }
    const auto* address = reinterpret_cast<const sockaddr*>(r.sqe.addr);
    const auto length = static_cast<socklen_t>(r.sqe.off);
    if (r.message) address = reinterpret_cast<const sockaddr*>(&r.message->name);
    const int flags = ::fcntl(r.sqe.fd, F_GETFL);
    if (flags < 0) return done(-errno);
    const bool blocking = (flags & O_NONBLOCK) == 0;
    if (blocking) ::fcntl(r.sqe.fd, F_SETFL, flags | O_NONBLOCK);
    int error = ::connect(r.sqe.fd, address, length) == 0 ? 0 : errno;
    if (error == ECONNABORTED && !r.message) error = ::connect(r.sqe.fd, address, length) == 0 ? 0 : errno;
    if (blocking) ::fcntl(r.sqe.fd, F_SETFL, flags);
    if (error == EISCONN && r.message) return done(0);
    if (error != EINPROGRESS && !(error == EALREADY && r.message)) return done(-error);
    if (!r.message) {
        r.message = std::make_unique<kept_message>();
        std::memcpy(&r.message->name, address, std::min<std::size_t>(length, sizeof r.message->name));
    }
    return wait_for(writable);
}

attempt try_poll(const request& r) {
    const std::uint32_t events = (r.sqe.poll32_events & 0xffff) | POLLRDHUP;  // the ring tells of it, asked or not
    const short ready = ready_events(r.sqe.fd, events);
    if ((ready & POLLNVAL) != 0) return done(-EBADF);
    return ready != 0 ? done(static_cast<unsigned short>(ready)) : wait_for(events | EPOLLERR | EPOLLHUP);
}

// Not every kind of file knows RWF_NOWAIT. One that is ready can be read: what is there is given.
attempt try_read_stream(const request& r) {
    iovec part{reinterpret_cast<void*>(r.sqe.addr), r.sqe.len};
    auto n = uninterrupted([&] { return ::preadv2(r.sqe.fd, &part, 1, -1, RWF_NOWAIT); });
    if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)) return judge(n, readable);
    if (ready_events(r.sqe.fd, POLLIN) == 0) return wait_for(readable);
    n = uninterrupted([&] { return ::read(r.sqe.fd, part.iov_base, part.iov_len); });
    return judge(n, readable);
}

attempt try_write_stream(const request& r, bool terminal) {
    iovec part{reinterpret_cast<void*>(r.sqe.addr), r.sqe.len};
    auto n = uninterrupted([&] { return ::pwritev2(r.sqe.fd, &part, 1, -1, RWF_NOWAIT); });
    if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)) return judge(n, writable);
    if (ready_events(r.sqe.fd, POLLOUT) == 0) return wait_for(writable);
    if (terminal) return for_a_thread();  // it may take a part and block for the rest
    n = uninterrupted([&] { return ::write(r.sqe.fd, part.iov_base, std::min<std::size_t>(part.iov_len, PIPE_BUF)); });
    return judge(n, writable);
}

// What is in the page cache is read here; the rest is for a thread.
attempt try_read_file(const request& r, const struct stat& info) {
    iovec part{reinterpret_cast<void*>(r.sqe.addr), r.sqe.len};
    const bool moves = static_cast<off_t>(r.sqe.off) == -1;  // the file's own position
    const off_t offset = moves ? ::lseek(r.sqe.fd, 0, SEEK_CUR) : static_cast<off_t>(r.sqe.off);
    if (moves && offset < 0) return for_a_thread();
    const auto n = uninterrupted([&] { return ::preadv2(r.sqe.fd, &part, 1, offset, RWF_NOWAIT); });
    if (n < 0) return errno == EAGAIN || errno == EOPNOTSUPP ? for_a_thread() : done(-errno);
    const bool cut =
        static_cast<std::size_t>(n) < part.iov_len && (!S_ISREG(info.st_mode) || offset + n < info.st_size);
    if (cut) return for_a_thread();
    if (moves) ::lseek(r.sqe.fd, n, SEEK_CUR);
    return done(n);
}

attempt try_read_or_write(const request& r) {
    struct stat info{};
    if (::fstat(r.sqe.fd, &info) != 0) return done(-errno);
    const bool reads = r.sqe.opcode == IORING_OP_READ;
    if (S_ISREG(info.st_mode) || S_ISBLK(info.st_mode) || S_ISDIR(info.st_mode))
        return reads ? try_read_file(r, info) : for_a_thread();
    if (S_ISSOCK(info.st_mode)) {
        if (r.sqe.off != 0 && static_cast<off_t>(r.sqe.off) != -1) return done(-ESPIPE);
        // preadv2 and pwritev2 do not ask a file about nothing; a socket may have an empty datagram to send.
        if (!reads && r.sqe.len == 0) return judge(::send(r.sqe.fd, nullptr, 0, MSG_DONTWAIT | MSG_NOSIGNAL), writable);
    }
    return reads ? try_read_stream(r) : try_write_stream(r, S_ISCHR(info.st_mode));
}

// Opens what is in the directory cache here. Creating and truncating always take a thread.
attempt try_open(const request& r) {
    open_how how = *reinterpret_cast<const open_how*>(r.sqe.off);
    if ((how.flags & (O_CREAT | O_TRUNC)) != 0 || (how.flags & O_TMPFILE) == O_TMPFILE) return for_a_thread();
    how.resolve |= RESOLVE_CACHED;
    const int fd = open_at_once(r.sqe.fd, reinterpret_cast<const char*>(r.sqe.addr), how);
    if (fd >= 0) return done(fd);
    const bool later = errno == EAGAIN || errno == EINVAL || errno == ENOSYS || errno == EPERM;
    return later ? for_a_thread() : done(-errno);
}

bool can_wait_at(int fd) noexcept {
    struct stat info{};
    return ::fstat(fd, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode) && !S_ISDIR(info.st_mode);
}

// What splice(2) refuses whatever is ready, so that nobody need wait to hear it.
bool is_wrong_splice(const io_uring_sqe& sqe) noexcept {
    constexpr unsigned understood = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;
    if ((sqe.splice_flags & ~understood) != 0) return true;
    struct stat from{};
    struct stat to{};
    if (::fstat(sqe.splice_fd_in, &from) != 0 || ::fstat(sqe.fd, &to) != 0) return true;
    const bool from_pipe = S_ISFIFO(from.st_mode);
    const bool to_pipe = S_ISFIFO(to.st_mode);
    if (!from_pipe && !to_pipe) return true;
    if (from_pipe && to_pipe && from.st_dev == to.st_dev && from.st_ino == to.st_ino) return true;
    if (from_pipe && static_cast<off_t>(sqe.splice_off_in) != -1) return true;
    if (to_pipe && static_cast<off_t>(sqe.off) != -1) return true;
    return (::fcntl(sqe.splice_fd_in, F_GETFL) & O_ACCMODE) == O_WRONLY ||
           (::fcntl(sqe.fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
}

// A thread does it when neither end has to be waited for: a wait there could not be cancelled.
attempt try_splice(request& r) {
    if (is_wrong_splice(r.sqe)) return for_a_thread();
    const auto must_wait = [&](int fd, std::uint32_t events) {
        r.watched = fd;
        return can_wait_at(fd) && ready_events(fd, events) == 0;
    };
    if (must_wait(r.sqe.splice_fd_in, POLLIN)) return wait_for(readable);
    if (must_wait(r.sqe.fd, POLLOUT)) return wait_for(writable);
    r.sqe.splice_flags |= SPLICE_F_NONBLOCK;
    return for_a_thread();
}

}  // namespace

attempt try_call(request& r, std::span<std::byte> room) {
    switch (r.sqe.opcode) {
        case IORING_OP_NOP:
            return done(0);
        case IORING_OP_RECV: {
            attempt a = try_recv(r, room);
            a.drained = a.res > 0 && static_cast<std::size_t>(a.res) < room.size();
            return a;
        }
        case IORING_OP_SEND:
            return try_send(r);
        case IORING_OP_RECVMSG:
            return try_recvmsg(r);
        case IORING_OP_SENDMSG:
            return try_sendmsg(r);
        case IORING_OP_ACCEPT:
            return try_accept(r);
        case IORING_OP_CONNECT:
            return try_connect(r);
        case IORING_OP_POLL_ADD:
            return try_poll(r);
        case IORING_OP_READ:
        case IORING_OP_WRITE:
            return try_read_or_write(r);
        case IORING_OP_OPENAT2:
            return try_open(r);
        case IORING_OP_SHUTDOWN:
            return done(::shutdown(r.sqe.fd, static_cast<int>(r.sqe.len)) == 0 ? 0 : -errno);
        case IORING_OP_CLOSE:
            return done(::close(r.sqe.fd) == 0 ? 0 : -errno);
        case IORING_OP_STATX:
        case IORING_OP_RENAMEAT:
        case IORING_OP_UNLINKAT:
        case IORING_OP_FALLOCATE:
        case IORING_OP_FSYNC:
            return for_a_thread();
        case IORING_OP_SPLICE:
            return try_splice(r);
        default:
            return done(-EINVAL);
    }
}

}  // namespace ringlet::io::detail
