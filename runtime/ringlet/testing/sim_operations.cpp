// SPDX-License-Identifier: MIT
// What the simulated ring does for each operation.
#include <ringlet/io/detail/recvmsg_layout.hpp>
#include <ringlet/testing/detail/sim_request.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace ringlet::testing {

using detail::open_file;
using detail::selects_buffer;
using detail::would_wait;

namespace {

std::size_t bytes_of(const std::vector<iovec>& parts) noexcept {
    std::size_t sum = 0;
    for (const iovec& part : parts) sum += part.iov_len;
    return sum;
}

void skip(std::vector<iovec>& parts, std::size_t bytes) noexcept {
    for (iovec& part : parts) {
        const std::size_t n = std::min(bytes, part.iov_len);
        part.iov_base = static_cast<std::byte*>(part.iov_base) + n;
        part.iov_len -= n;
        bytes -= n;
    }
}

std::span<std::byte> memory_of(const io_uring_sqe& sqe) noexcept {
    return {reinterpret_cast<std::byte*>(sqe.addr), sqe.len};
}

}  // namespace

void sim_engine::watch_memory(request& r) {
    switch (r.sqe.opcode) {
        case IORING_OP_READ:
            r.memory.writable(memory_of(r.sqe));
            break;
        case IORING_OP_RECV:
            if (!selects_buffer(r.sqe)) r.memory.writable(memory_of(r.sqe));
            break;
        case IORING_OP_WRITE:
        case IORING_OP_SEND:
            r.memory.readable(memory_of(r.sqe));
            break;
        case IORING_OP_RECVMSG:
            for (const iovec& part : r.parts) r.memory.writable({static_cast<std::byte*>(part.iov_base), part.iov_len});
            break;
        case IORING_OP_SENDMSG:
            for (const iovec& part : r.parts)
                r.memory.readable({static_cast<const std::byte*>(part.iov_base), part.iov_len});
            break;
        case IORING_OP_STATX:
            r.memory.writable({reinterpret_cast<std::byte*>(r.sqe.off), sizeof(struct statx)});
            break;
        default:
            break;
    }
}

// As the kernel's ring: O_NONBLOCK counts for splice(2) only, where anything could be polled instead.
bool sim_engine::may_wait(const request& r) const noexcept {
    switch (r.sqe.opcode) {
        case IORING_OP_RECV:
        case IORING_OP_SEND:
        case IORING_OP_RECVMSG:
        case IORING_OP_SENDMSG:
            return (r.sqe.msg_flags & MSG_DONTWAIT) == 0;
        case IORING_OP_SPLICE:
            return ((r.file->status_flags | r.other->status_flags) & O_NONBLOCK) == 0 &&
                   (r.sqe.splice_flags & SPLICE_F_NONBLOCK) == 0;
        default:
            return true;
    }
}

sim_engine::outcome sim_engine::perform(request& r) {
    open_file* const f = r.file.get();
    switch (r.sqe.opcode) {
        case IORING_OP_NOP:
            return {};
        case IORING_OP_READ:
        case IORING_OP_WRITE:
            return transfer(r);
        case IORING_OP_RECV:
            return selects_buffer(r.sqe) ? receive_provided(r) : receive_message(r);
        case IORING_OP_RECVMSG:
            return selects_buffer(r.sqe) ? receive_provided(r) : receive_message(r);
        case IORING_OP_SEND:
        case IORING_OP_SENDMSG:
            return send_message(r);
        case IORING_OP_ACCEPT:
            return accept(r);
        case IORING_OP_CONNECT:
            return connect(r);
        case IORING_OP_POLL_ADD: {
            const auto mask = static_cast<short>((r.sqe.poll32_events & 0xffff) | POLLERR | POLLHUP | POLLRDHUP);
            const auto ready = static_cast<short>(f->ready_events() & mask);
            if (ready == 0) return {would_wait, 0, mask, r.file};
            return {.res = static_cast<unsigned short>(ready)};
        }
        case IORING_OP_SHUTDOWN:
            return {.res = f->shutdown(static_cast<int>(r.sqe.len))};
        case IORING_OP_CLOSE:
            return {.res = kernel_->close_descriptor(r.sqe.fd)};
        case IORING_OP_FSYNC:
            return {.res = f->sync()};
        case IORING_OP_FALLOCATE:
            return {.res = f->allocate(static_cast<int>(r.sqe.len), static_cast<std::int64_t>(r.sqe.off),
                                       static_cast<std::int64_t>(r.sqe.addr))};
        case IORING_OP_OPENAT2:
            return open(r);
        case IORING_OP_STATX:
            return statx(r);
        case IORING_OP_RENAMEAT:
            return {.res = kernel_->files().rename(f, r.path.c_str(), r.other.get(), r.new_path.c_str(),
                                                   r.sqe.rename_flags)};
        case IORING_OP_UNLINKAT:
            return {.res = kernel_->files().unlink(f, r.path.c_str(), static_cast<int>(r.sqe.unlink_flags))};
        case IORING_OP_SPLICE:
            return splice(r);
        default:
            return {.res = -EINVAL};
    }
}

// What came of it is taken from SO_ERROR, and the socket keeps the state of one that failed; a second connect(2) clears that
// (ECONNABORTED) and tries again.
sim_engine::outcome sim_engine::connect(request& r) {
    if (r.begun && (r.file->ready_events() & POLLERR) != 0) {
        int error = 0;
        socklen_t length = sizeof error;
        r.file->get_option(SOL_SOCKET, SO_ERROR, &error, &length);
        return {.res = -error};
    }
    const auto attempt = [&] { return r.file->connect(reinterpret_cast<const sockaddr*>(&r.name), r.name_length); };
    std::int64_t n = attempt();
    if (n == -ECONNABORTED && !r.begun) n = attempt();
    if (n != -EINPROGRESS && n != -EALREADY) return {.res = n};
    r.begun = true;
    return {would_wait, 0, POLLOUT, r.file};
}

sim_engine::outcome sim_engine::transfer(request& r) {
    const bool reads = r.sqe.opcode == IORING_OP_READ;
    const auto memory = memory_of(r.sqe);
    const std::span<std::byte> part =
        memory.first(world_->shortened(reads ? fault::short_read : fault::short_write, memory.size()));
    const auto offset = static_cast<std::int64_t>(r.sqe.off);
    const std::int64_t n = reads ? r.file->read(part, offset) : r.file->write(part, offset);
    return {n, 0, static_cast<short>(reads ? POLLIN : POLLOUT), r.file};
}

sim_engine::outcome sim_engine::receive_message(request& r) {
    const bool simple = r.sqe.opcode == IORING_OP_RECV;
    msghdr plain{};
    iovec room{};
    msghdr& message = simple ? plain : *reinterpret_cast<msghdr*>(r.sqe.addr);
    const bool datagram = [&] {
        int type = 0;
        socklen_t length = sizeof type;
        return r.file->get_option(SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM;
    }();
    const bool all = (r.sqe.msg_flags & MSG_WAITALL) != 0 && !datagram;
    std::vector<iovec> parts = r.parts;
    if (simple) {
        room = {memory_of(r.sqe).data(), r.sqe.len};
        if (!datagram && !all) room.iov_len = world_->shortened(fault::short_read, room.iov_len);
        parts = {room};
    }
    const std::size_t whole = bytes_of(parts);
    skip(parts, r.moved);
    iovec* const callers = message.msg_iov;
    const std::size_t callers_count = message.msg_iovlen;
    std::int64_t n = 0;
    do {
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        n = r.file->receive(message, static_cast<int>(r.sqe.msg_flags));
        if (!all || n <= 0) break;
        r.moved += static_cast<std::size_t>(n);
        skip(parts, static_cast<std::size_t>(n));
    } while (r.moved < whole);
    message.msg_iov = callers;
    message.msg_iovlen = callers_count;
    if (r.moved > 0 && n != would_wait) return {.res = static_cast<std::int64_t>(r.moved)};
    return {n, 0, POLLIN, r.file};
}

sim_engine::outcome sim_engine::receive_provided(request& r) {
    if (world_->happens(fault::no_buffers)) return {.res = -ENOBUFS};
    const io_uring_buf* const buffer = next_buffer(r.sqe.buf_group);
    if (!buffer) return {.res = -ENOBUFS};
    auto* const memory = reinterpret_cast<std::byte*>(buffer->addr);
    const std::size_t room = r.sqe.len != 0 ? std::min(r.sqe.len, buffer->len) : buffer->len;
    const auto flags_asked = static_cast<int>(r.sqe.msg_flags);
    detail::unpoison(memory, buffer->len);
    const std::uint16_t id = buffer->bid;
    std::int64_t n = 0;
    if (r.sqe.opcode == IORING_OP_RECVMSG) {
        const auto receive = [&](msghdr& message) { return r.file->receive(message, flags_asked); };
        n = io::detail::receive_laid_out({memory, buffer->len}, *reinterpret_cast<const msghdr*>(r.sqe.addr), receive);
    } else {
        iovec part{memory, world_->shortened(fault::short_read, room)};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        n = r.file->receive(message, flags_asked);
    }
    if (n <= 0) {
        detail::poison(memory, buffer->len);
        return {n, 0, POLLIN, r.file};
    }
    groups_[r.sqe.buf_group].ours[id] = false;
    std::uint32_t flags = use_buffer(r.sqe.buf_group);
    if ((r.file->ready_events() & POLLIN) != 0) flags |= IORING_CQE_F_SOCK_NONEMPTY;
    return {.res = n, .flags = flags};
}

sim_engine::outcome sim_engine::send_message(request& r) {
    const auto flags = static_cast<int>(r.sqe.msg_flags);
    int type = 0;
    socklen_t length = sizeof type;
    const bool stream = r.file->get_option(SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
    msghdr message{};
    iovec one{};
    std::vector<iovec> parts;
    if (r.sqe.opcode == IORING_OP_SENDMSG) {
        message = *reinterpret_cast<const msghdr*>(r.sqe.addr);
        parts = r.parts;
        if (r.name_length > 0) {
            message.msg_name = &r.name;
            message.msg_namelen = r.name_length;
        }
    } else {
        one = {memory_of(r.sqe).data(), r.sqe.len};
        parts = {one};
    }
    skip(parts, r.moved);
    const std::size_t total = bytes_of(parts);
    std::size_t wanted = total;
    // A short one ends within some part.
    if (stream) {
        std::size_t left = wanted = world_->shortened(fault::short_write, total);
        for (iovec& part : parts) {
            part.iov_len = std::min(part.iov_len, left);
            left -= part.iov_len;
        }
    }
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const std::int64_t n = r.file->send(message, flags);
    const outcome waits{would_wait, 0, POLLOUT, r.file};
    if (!stream || (flags & MSG_WAITALL) == 0) return n == would_wait ? waits : outcome{.res = n};
    if (n > 0) r.moved += static_cast<std::size_t>(n);
    const bool room_is_over = n == would_wait || (n >= 0 && wanted == total && static_cast<std::size_t>(n) < wanted);
    if (room_is_over) return waits;
    return {.res = r.moved > 0 ? static_cast<std::int64_t>(r.moved) : n};
}

sim_engine::outcome sim_engine::accept(request& r) {
    // Linux takes the descriptor first: without one the connection stays where it is.
    if (!kernel_->may_install()) return {.res = -EMFILE};
    std::shared_ptr<open_file> connection;
    if (const std::int64_t n = r.file->accept(connection); n < 0) return {n, 0, POLLIN, r.file};
    auto* const length = reinterpret_cast<socklen_t*>(r.sqe.addr2);
    if (r.sqe.addr != 0) connection->peer_address(reinterpret_cast<sockaddr*>(r.sqe.addr), length);
    return {.res = kernel_->put(std::move(connection))};
}

sim_engine::outcome sim_engine::open(request& r) {
    // The descriptor first, as in accept: without one no file is made.
    if (!kernel_->may_install()) return {.res = -EMFILE};
    std::shared_ptr<open_file> out;
    const std::int64_t n = kernel_->files().open(r.file.get(), r.path.c_str(), r.how, out);
    return {.res = n < 0 ? n : kernel_->put(std::move(out))};
}

sim_engine::outcome sim_engine::statx(request& r) {
    struct stat info{};
    const std::int64_t n =
        kernel_->files().stat(r.file.get(), r.path.c_str(), static_cast<int>(r.sqe.statx_flags), info);
    if (n < 0) return {.res = n};
    auto& out = *reinterpret_cast<struct statx*>(r.sqe.off);
    out = {};
    out.stx_mask = STATX_BASIC_STATS;
    out.stx_mode = static_cast<std::uint16_t>(info.st_mode);
    out.stx_nlink = static_cast<std::uint32_t>(info.st_nlink);
    out.stx_uid = info.st_uid;
    out.stx_gid = info.st_gid;
    out.stx_ino = info.st_ino;
    out.stx_size = static_cast<std::uint64_t>(info.st_size);
    out.stx_blocks = static_cast<std::uint64_t>(info.st_blocks);
    out.stx_blksize = static_cast<std::uint32_t>(info.st_blksize);
    out.stx_dev_major = major(info.st_dev);
    out.stx_dev_minor = minor(info.st_dev);
    const auto time = [](const timespec& t) {
        statx_timestamp s{};
        s.tv_sec = t.tv_sec;
        s.tv_nsec = static_cast<std::uint32_t>(t.tv_nsec);
        return s;
    };
    out.stx_atime = time(info.st_atim);
    out.stx_mtime = time(info.st_mtim);
    out.stx_ctime = time(info.st_ctim);
    return {};
}

// In the order in which Linux looks: the result, or 0 when there is something to do.
std::int64_t sim_engine::check_splice(const request& r) noexcept {
    constexpr unsigned understood = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;
    if ((r.sqe.splice_flags & ~understood) != 0) return -EINVAL;
    if ((r.other->status_flags & O_ACCMODE) == O_WRONLY || (r.file->status_flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    const bool from_offset = static_cast<std::int64_t>(r.sqe.splice_off_in) != -1;
    const bool to_offset = static_cast<std::int64_t>(r.sqe.off) != -1;
    const void* const from = r.other->pipe();
    const void* const to = r.file->pipe();
    if (!from && !to) return -EINVAL;
    if ((from && from_offset) || (to && to_offset)) return -ESPIPE;
    if (from == to) return -EINVAL;
    if ((!from && from_offset && !r.other->is_regular()) || (!to && to_offset && !r.file->is_regular())) return -EINVAL;
    return !to && (r.file->status_flags & O_APPEND) != 0 ? -EINVAL : 0;
}

// From the one to the other as much as both take at once.
sim_engine::outcome sim_engine::splice(request& r) {
    if (r.sqe.len == 0) return {};
    if (const std::int64_t wrong = check_splice(r); wrong != 0) return {.res = wrong};
    const auto from = static_cast<std::int64_t>(r.sqe.splice_off_in);
    std::array<std::byte, 4096> block;
    const auto wanted = std::span{block}.first(std::min<std::size_t>(block.size(), r.sqe.len));
    const bool at_position = from == -1;
    const std::int64_t got = at_position ? r.other->peek(wanted) : r.other->read(wanted, from);
    if (got <= 0) return {got, 0, POLLIN, r.other};
    if ((r.file->ready_events() & (POLLOUT | POLLERR | POLLHUP)) == 0) return {would_wait, 0, POLLOUT, r.file};
    const std::span<const std::byte> bytes = wanted.first(static_cast<std::size_t>(got));
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    std::int64_t put = r.file->send(message, 0);
    if (put == -ENOTSOCK) put = r.file->write(bytes, static_cast<std::int64_t>(r.sqe.off));
    if (put > 0 && at_position) r.other->read(wanted.first(static_cast<std::size_t>(put)), -1);
    return {put, 0, POLLOUT, r.file};
}

}  // namespace ringlet::testing
