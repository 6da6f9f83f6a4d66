// SPDX-License-Identifier: MIT
#include <ringlet/io/detail/recvmsg_layout.hpp>
#include <ringlet/io/thread_pool.hpp>
#include <ringlet/testing/detail/allocation.hpp>
#include <ringlet/testing/detail/sim_request.hpp>
#include <ringlet/testing/sim_engine.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <linux/openat2.h>
#include <utility>

#include <fcntl.h>

namespace ringlet::testing {

using detail::selects_buffer;
using detail::would_wait;

namespace {

// A loop that only yields sees time pass all the same, from here on.
constexpr unsigned idle_enters_max = 64;

bool is_multishot(const io_uring_sqe& sqe) noexcept {
    return (sqe.opcode == IORING_OP_ACCEPT && (sqe.ioprio & IORING_ACCEPT_MULTISHOT) != 0) ||
           ((sqe.opcode == IORING_OP_RECV || sqe.opcode == IORING_OP_RECVMSG) &&
            (sqe.ioprio & IORING_RECV_MULTISHOT) != 0);
}

bool is_understood(const io_uring_sqe& sqe) noexcept {
    constexpr unsigned flags = IOSQE_ASYNC | IOSQE_CQE_SKIP_SUCCESS | IOSQE_BUFFER_SELECT;
    if ((sqe.flags & ~flags) != 0) return false;
    if (sqe.opcode == IORING_OP_RECVMSG) return is_multishot(sqe) == selects_buffer(sqe);
    return !selects_buffer(sqe) || sqe.opcode == IORING_OP_RECV;
}

// Whether a multishot request goes on after this.
bool goes_on(const io_uring_sqe& sqe, std::int64_t res) noexcept {
    if (sqe.opcode == IORING_OP_ACCEPT) return res >= 0;
    if (sqe.opcode == IORING_OP_RECVMSG)
        return io::detail::goes_on_after(res, *reinterpret_cast<const msghdr*>(sqe.addr));
    return res > 0;
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
        const bool more = multishot && goes_on(r.sqe, o.res) && !world_->happens(fault::lost_more);
        if (!more) return finish(r, o.res, o.flags);
        tell(r, static_cast<std::int32_t>(o.res), o.flags | IORING_CQE_F_MORE, false);
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
