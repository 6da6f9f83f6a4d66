// SPDX-License-Identifier: MIT
#include <ringlet/io/thread_pool.hpp>
#include <ringlet/testing/detail/allocation.hpp>
#include <ringlet/testing/sim_engine.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/openat2.h>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace ringlet::testing {

using detail::open_file;

namespace {

constexpr std::int64_t would_wait = -EAGAIN;
// A loop that only yields sees time pass all the same, from here on.
constexpr unsigned idle_enters_max = 64;

bool is_multishot(const io_uring_sqe& sqe) noexcept {
    return (sqe.opcode == IORING_OP_ACCEPT && (sqe.ioprio & IORING_ACCEPT_MULTISHOT) != 0) ||
           (sqe.opcode == IORING_OP_RECV && (sqe.ioprio & IORING_RECV_MULTISHOT) != 0);
}

bool selects_buffer(const io_uring_sqe& sqe) noexcept { return (sqe.flags & IOSQE_BUFFER_SELECT) != 0; }

bool is_understood(const io_uring_sqe& sqe) noexcept {
    constexpr unsigned flags = IOSQE_ASYNC | IOSQE_CQE_SKIP_SUCCESS | IOSQE_BUFFER_SELECT;
    return (sqe.flags & ~flags) == 0 && (!selects_buffer(sqe) || sqe.opcode == IORING_OP_RECV);
}

// The first member of the SQE is no descriptor, or one of a directory.
bool names_a_path(std::uint8_t opcode) noexcept {
    return opcode == IORING_OP_OPENAT2 || opcode == IORING_OP_STATX || opcode == IORING_OP_RENAMEAT ||
           opcode == IORING_OP_UNLINKAT;
}
bool needs_a_file(std::uint8_t opcode) noexcept { return opcode != IORING_OP_NOP && !names_a_path(opcode); }

std::string text_at(std::uint64_t address) {
    const auto* text = reinterpret_cast<const char*>(address);
    return text != nullptr ? text : "";
}

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

class simulated_threads final : public io::thread_pool {
public:
    explicit simulated_threads(detail::world& where) noexcept : world_{&where} {}
    ~simulated_threads() override { world_->forget(this); }
    void submit(io::work_item& work) override {
        const detail::no_allocation_faults quiet;
        work.queued = true;
        queued_.push_back(&work);
        world_->after(
            world_->latency(),
            [this, &work] {
                if (std::erase(queued_, &work) == 0) return;
                work.queued = false;
                world_->note(0x77);
                detail::this_thread_allocations.paused -= 1;  // the program's own code
                work.run(work);
                detail::this_thread_allocations.paused += 1;
            },
            this);
    }
    bool try_remove(io::work_item& work) noexcept override {
        if (std::erase(queued_, &work) == 0) return false;
        work.queued = false;
        return true;
    }

private:
    detail::world* world_;
    std::vector<io::work_item*> queued_;
};

}  // namespace

struct sim_engine::request final : detail::waiter {
    request(sim_engine& owner, const io_uring_sqe& asked, std::uint64_t ordinal)
        : engine{&owner}, sqe{asked}, number{ordinal} {}
    ~request() { leave(); }

    void file_changed() override {
        const auto at = waits_at.lock();
        if (!at || (at->ready_events() & (wanted | POLLERR | POLLHUP)) == 0) return;
        leave();
        schedule();
    }
    void wait(const std::shared_ptr<open_file>& at, short events) {
        waits_at = at;
        wanted = events;
        at->add(*this);
    }
    void leave() noexcept {
        if (const auto at = waits_at.lock()) at->remove(*this);
        waits_at.reset();
    }
    void schedule(std::chrono::nanoseconds delay = {}) {
        scheduled = true;
        engine->world_->after(
            delay,
            [e = engine, n = number] {
                const auto found = e->requests_.find(n);
                if (found == e->requests_.end() || !std::exchange(found->second->scheduled, false)) return;
                e->go_on(*found->second);
            },
            engine);
    }

    sim_engine* engine;
    io_uring_sqe sqe;
    std::uint64_t number;
    std::shared_ptr<open_file> file;
    std::shared_ptr<open_file> other;  // of a splice: where it comes from; of a rename: the new directory
    std::weak_ptr<open_file> waits_at;
    short wanted = 0;
    bool scheduled = false;
    bool ending = false;     // its last CQE is on the way
    bool cancelled = false;  // to end at the next occasion
    bool begun = false;      // CONNECT
    std::size_t moved = 0;   // MSG_WAITALL
    deadline last_told{};
    detail::buffer_watch memory;
    std::vector<iovec> parts;  // the caller's may be gone
    sockaddr_storage name{};
    socklen_t name_length = 0;
    std::string path;
    std::string new_path;
    open_how how{};
};

sim_engine::sim_engine(detail::world& where, detail::kernel& with, const io::ring_sizes& sizes)
    : memory_engine{sizes.sq_entries, sizes.cq_entries}, world_{&where}, kernel_{&with} {}

// The world may go on to another run.
sim_engine::~sim_engine() {
    world_->forget(this);
    for (const auto& [number, r] : requests_) {
        // The mailbox's bell: a poll, which holds no memory, and ends with the ring.
        if (r->sqe.opcode == IORING_OP_POLL_ADD) continue;
        world_->violated(fmt::format("operation {} (opcode {}) had no last CQE when its loop ended", number,
                                     static_cast<unsigned>(r->sqe.opcode)));
    }
}

std::unique_ptr<io::thread_pool> sim_engine::make_threads() { return std::make_unique<simulated_threads>(*world_); }

bool sim_engine::waits_for_ever() const noexcept {
    return sq_head == sq_tail && world_->nothing_left() && !memory_engine::completions_waiting();
}

void sim_engine::enter(unsigned wanted, deadline until) {
    const detail::no_allocation_faults quiet;
    if (on_enter_) on_enter_(enters_);
    ++enters_;
    if (world_->happens(fault::interrupted)) {
        world_->pass_time(world_->now() + std::chrono::microseconds{1});
        return;
    }
    look_at_returned_buffers();
    const bool idle = sq_head == sq_tail && wanted == 0;
    while (sq_head != sq_tail) submit(sqes[sq_head++ & sq_mask]);
    flush_overflow();
    while (world_->happen_next(world_->now())) {
    }
    idle_enters_ = idle && posted() == 0 ? idle_enters_ + 1 : 0;
    if (idle_enters_ > idle_enters_max) world_->pass_time(world_->now() + std::chrono::microseconds{1});
    while (posted() < wanted) {
        if (world_->happen_next(until)) continue;
        // With nothing to come the loop finds out that it waits for ever.
        if (until != io::no_deadline) world_->pass_time(until);
        return;
    }
}

// --- requests ---

void sim_engine::submit(const io_uring_sqe& sqe) {
    if (sqe.opcode == IORING_OP_ASYNC_CANCEL) {
        cancel(sqe);
        return;
    }
    auto r = std::make_unique<request>(*this, sqe, ++numbered_);
    operations_.push_back(sqe.opcode);
    world_->note(1, sqe.opcode, static_cast<std::uint64_t>(sqe.fd), sqe.len);
    begin(std::move(r));
}

void sim_engine::begin(std::unique_ptr<request> owned) {
    request& r = *owned;
    const std::uint8_t opcode = r.sqe.opcode;
    requests_.emplace(r.number, std::move(owned));
    numbers_by_user_data_.emplace(r.sqe.user_data, r.number);

    if (!is_understood(r.sqe)) return finish(r, -EINVAL, 0);
    if (needs_a_file(opcode)) {
        r.file = kernel_->file(r.sqe.fd);
        const bool of_path_only = r.file && (r.file->status_flags & O_PATH) != 0 && opcode != IORING_OP_CLOSE;
        if (!r.file || of_path_only) return finish(r, -EBADF, 0);
    } else if (names_a_path(opcode)) {
        r.path = text_at(r.sqe.addr);
        if (kernel_->directory(r.sqe.fd, r.path.c_str(), r.file) < 0) return finish(r, -EBADF, 0);
    }
    if (opcode == IORING_OP_OPENAT2) r.how = *reinterpret_cast<const open_how*>(r.sqe.off);
    if (opcode == IORING_OP_RENAMEAT) {
        r.new_path = text_at(r.sqe.off);
        if (kernel_->directory(static_cast<int>(r.sqe.len), r.new_path.c_str(), r.other) < 0)
            return finish(r, -EBADF, 0);
    }
    if (opcode == IORING_OP_SPLICE) {
        r.other = kernel_->file(r.sqe.splice_fd_in);
        if (!r.other) return finish(r, -EBADF, 0);
    }
    if (opcode == IORING_OP_CONNECT) {
        r.name_length = static_cast<socklen_t>(r.sqe.off);
        std::memcpy(&r.name, reinterpret_cast<const void*>(r.sqe.addr),
                    std::min<std::size_t>(r.name_length, sizeof r.name));
    }
    if (opcode == IORING_OP_SENDMSG || opcode == IORING_OP_RECVMSG) {
        const auto& message = *reinterpret_cast<const msghdr*>(r.sqe.addr);
        r.parts.assign(message.msg_iov, message.msg_iov + message.msg_iovlen);
        if (opcode == IORING_OP_SENDMSG && message.msg_name != nullptr) {
            r.name_length = message.msg_namelen;
            std::memcpy(&r.name, message.msg_name, std::min<std::size_t>(r.name_length, sizeof r.name));
        }
    }
    watch_memory(r);
    r.memory.end_access();

    if (planned_.operation == operations_.size()) {
        if (opcode == IORING_OP_CLOSE) kernel_->close_descriptor(r.sqe.fd);  // as the kernel: whatever it says
        return finish(r, -planned_.error, 0);
    }
    if (opcode != IORING_OP_CLOSE && opcode != IORING_OP_NOP && world_->happens(fault::no_memory))
        return finish(r, -ENOMEM, 0);
    if (world_->chance(0.5))
        go_on(r);
    else
        r.schedule(world_->latency());
}

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

// Goes on with a request as far as it can without waiting.
void sim_engine::go_on(request& r) {
    if (r.ending) return;
    r.leave();
    r.scheduled = false;
    const bool multishot = is_multishot(r.sqe);
    for (;;) {
        outcome o = perform_borrowing(r);
        if (o.res == would_wait && o.at) {
            if (r.cancelled)
                finish(r,
                       r.moved > 0 ? static_cast<std::int64_t>(r.moved) : (world_->chance(0.5) ? -ECANCELED : -EINTR),
                       0);
            else if (!may_wait(r))
                finish(r, r.moved > 0 ? static_cast<std::int64_t>(r.moved) : -EAGAIN, 0);
            else
                r.wait(o.at, o.wanted);
            return;
        }
        const bool more = multishot && (o.res > 0 || (o.res == 0 && r.sqe.opcode == IORING_OP_ACCEPT)) &&
                          !world_->happens(fault::lost_more);
        if (!more) return finish(r, o.res, o.flags);
        tell(r, static_cast<std::int32_t>(o.res), o.flags | IORING_CQE_F_MORE, false);
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

sim_engine::outcome sim_engine::perform_borrowing(request& r) {
    if (!r.memory.begin_access()) {
        memory_was_changed(r);
        return {.res = -EFAULT};
    }
    outcome o = perform(r);
    r.memory.end_access();
    return o;
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
            return receive_message(r);
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
    iovec part{memory, world_->shortened(fault::short_read, room)};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    detail::unpoison(memory, buffer->len);
    const std::uint16_t id = buffer->bid;
    const std::int64_t n = r.file->receive(message, static_cast<int>(r.sqe.msg_flags));
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

// --- completions ---

void sim_engine::finish(request& r, std::int64_t res, std::uint32_t flags) {
    r.leave();
    r.scheduled = false;
    r.ending = true;
    tell(r, static_cast<std::int32_t>(res), flags, true);
}

// Some at once, some later, those of one request in their order.
void sim_engine::tell(request& r, std::int32_t res, std::uint32_t flags, bool last) {
    const deadline now = world_->now();
    const deadline when = std::max(r.last_told, world_->chance(0.5) ? now : now + world_->latency());
    r.last_told = when;
    world_->at(
        when,
        [this, number = r.number, res, flags, last] {
            const auto found = requests_.find(number);
            if (found == requests_.end()) {
                world_->violated("a CQE after the last");
                return;
            }
            told(*found->second, res, flags, last);
        },
        this);
}

void sim_engine::told(request& r, std::int32_t res, std::uint32_t flags, bool last) {
    world_->note(2, r.number, static_cast<std::uint64_t>(static_cast<std::int64_t>(res)), flags);
    const std::uint64_t user_data = r.sqe.user_data;
    const bool silent = last && res >= 0 && (r.sqe.flags & IOSQE_CQE_SKIP_SUCCESS) != 0;
    if (last) {
        if (!r.memory.release()) memory_was_changed(r);
        const auto [first, end] = numbers_by_user_data_.equal_range(user_data);
        for (auto i = first; i != end; ++i) {
            if (i->second != r.number) continue;
            numbers_by_user_data_.erase(i);
            break;
        }
        requests_.erase(r.number);
    }
    if (!silent) post(user_data, res, flags);
}

void sim_engine::memory_was_changed(const request& r) {
    world_->violated(
        fmt::format("the memory of operation {} (opcode {}, fd {}) was changed or freed while the kernel had it",
                    r.number, static_cast<unsigned>(r.sqe.opcode), r.sqe.fd));
}

void sim_engine::cancel(const io_uring_sqe& sqe) {
    const auto answer = [&](int res) {
        if (res < 0 || (sqe.flags & IOSQE_CQE_SKIP_SUCCESS) == 0) post(sqe.user_data, res, 0);
    };
    const auto found = numbers_by_user_data_.find(sqe.addr);
    request* const target = found == numbers_by_user_data_.end() ? nullptr : requests_.at(found->second).get();
    world_->note(3, target ? target->number : 0);
    if (!target || target->ending) return answer(-ENOENT);
    if (world_->happens(fault::late_cancel)) {
        go_on(*target);
        if (target->ending) return answer(-ENOENT);
    } else if (world_->happens(fault::busy_cancel)) {
        target->leave();
        target->cancelled = true;
        target->schedule(world_->latency());
        return answer(-EALREADY);
    }
    answer(0);
    finish(*target, target->moved > 0 ? static_cast<std::int64_t>(target->moved) : -ECANCELED, 0);
}

// --- provided buffers ---

int sim_engine::register_buffers(io_uring_buf_reg& ring) noexcept {
    const detail::no_allocation_faults quiet;
    if (world_->happens(fault::no_memory)) return -ENOMEM;
    const int res = memory_engine::register_buffers(ring);
    if (res == 0)
        groups_[ring.bgid] = {reinterpret_cast<io_uring_buf_ring*>(ring.ring_addr), ring.ring_entries, 0,
                              std::vector<bool>(65536)};
    return res;
}

void sim_engine::unregister_buffers(unsigned group) noexcept {
    const auto found = groups_.find(group);
    if (found == groups_.end()) return;
    look_at_returned_buffers();
    const buffer_group& g = found->second;
    for (unsigned i = 0; i < g.entries; ++i)
        if (g.ours[g.ring->bufs[i].bid])
            detail::unpoison(reinterpret_cast<const void*>(g.ring->bufs[i].addr), g.ring->bufs[i].len);
    groups_.erase(found);
    memory_engine::unregister_buffers(group);
}

void sim_engine::look_at_returned_buffers() {
    for (auto& [id, g] : groups_) {
        for (; g.seen != g.ring->tail; ++g.seen) {
            const io_uring_buf& b = g.ring->bufs[g.seen & (g.entries - 1)];
            if (g.ours[b.bid]) world_->violated(fmt::format("buffer {} of group {} was given back twice", b.bid, id));
            g.ours[b.bid] = true;
            detail::poison(reinterpret_cast<const void*>(b.addr), b.len);
        }
    }
}

}  // namespace ringlet::testing
