// SPDX-License-Identifier: MIT
#include <ringlet/io/detail/file_call.hpp>
#include <ringlet/io/detail/recvmsg_layout.hpp>
#include <ringlet/io/detail/try_call.hpp>
#include <ringlet/io/epoll_engine.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <limits>
#include <new>
#include <span>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ringlet::io {
namespace {

using detail::attempt;
using detail::file_call;

constexpr std::uint32_t everything = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND |
                                     EPOLLWRNORM | EPOLLWRBAND | EPOLLMSG | EPOLLET;
constexpr std::uint32_t always = EPOLLERR | EPOLLHUP;
// An end, or urgent data, before which a receive stops.
constexpr std::uint32_t more_than_data = EPOLLRDHUP | EPOLLERR | EPOLLHUP | EPOLLPRI;
constexpr std::uint64_t calls_done_mark = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t events_max = 64;
// Of a multishot request in a row, so that one busy socket does not keep the others waiting.
constexpr unsigned shots_max = 16;
// While completions keep coming without it, look for others at least this often.
constexpr unsigned enters_between_looks = 8;

bool is_multishot(const io_uring_sqe& sqe) noexcept {
    return (sqe.opcode == IORING_OP_ACCEPT && (sqe.ioprio & IORING_ACCEPT_MULTISHOT) != 0) ||
           ((sqe.opcode == IORING_OP_RECV || sqe.opcode == IORING_OP_RECVMSG) &&
            (sqe.ioprio & IORING_RECV_MULTISHOT) != 0);
}

bool is_understood(const io_uring_sqe& sqe) noexcept {
    constexpr unsigned flags = IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS | IOSQE_ASYNC;
    if ((sqe.flags & ~flags) != 0) return false;
    const bool selects = (sqe.flags & IOSQE_BUFFER_SELECT) != 0;
    if (selects && sqe.opcode != IORING_OP_RECV && sqe.opcode != IORING_OP_RECVMSG) return false;
    if (sqe.opcode == IORING_OP_POLL_ADD) return sqe.len == 0;
    if (sqe.opcode == IORING_OP_RECVMSG) return is_multishot(sqe) == selects;
    return true;
}

// A receive of a local socket also stops at a message with descriptors.
bool is_tcp(int socket) noexcept {
    int protocol = 0;
    socklen_t length = sizeof protocol;
    return ::getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == IPPROTO_TCP;
}

// A datagram socket that was shut for receiving: a call that does not wait is told EAGAIN, one that waits the end.
bool is_shut_to(const io_uring_sqe& sqe) noexcept {
    if (sqe.opcode != IORING_OP_RECV && sqe.opcode != IORING_OP_RECVMSG) return false;
    pollfd one{sqe.fd, POLLRDHUP, 0};
    return ::poll(&one, 1, 0) == 1 && (one.revents & POLLRDHUP) != 0;
}

}  // namespace

epoll_engine::epoll_engine(const ring_sizes& sizes)
    : memory_engine{sizes.sq_entries, sizes.cq_entries},
      epoll_{::epoll_create1(EPOLL_CLOEXEC)},
      calls_done_event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
      buckets_(64) {
    if (!epoll_) throw std::system_error{errno, std::generic_category(), "epoll_create1"};
    if (!calls_done_event_) throw std::system_error{errno, std::generic_category(), "eventfd"};
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;  // each write is an edge: the count is never read
    event.data.u64 = calls_done_mark;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, calls_done_event_.get(), &event) != 0)
        throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
}

epoll_engine::~epoll_engine() {
    for (request* r : buckets_)
        for (; r; r = r->next_in_bucket)
            if (r->call) threads_->try_remove(*r->call);
    threads_.reset();  // waits for the calls that are on their way
    for (request* r : buckets_)
        while (r) delete std::exchange(r, r->next_in_bucket);
}

bool epoll_engine::completions_waiting() const noexcept {
    // Whether epoll has something cannot be told without a call.
    return memory_engine::completions_waiting() || in_flight_ != 0;
}

bool epoll_engine::look() {
    collect(deadline::min());
    return memory_engine::completions_waiting();
}

void epoll_engine::enter(unsigned wanted, deadline until) {
    while (sq_head != sq_tail) submit(sqes[sq_head++ & sq_mask]);
    flush_overflow();
    if (posted() != 0 && posted() >= wanted && ++entered_without_looking_ < enters_between_looks) return;
    entered_without_looking_ = 0;
    do {
        const bool undisturbed = collect(posted() < wanted ? until : deadline::min());
        if (!undisturbed) return;  // the loop looks what the signal wants
    } while (posted() < wanted && clock::now() < until);
}

void epoll_engine::finish(const io_uring_sqe& sqe, std::int32_t res, std::uint32_t flags) {
    if (res >= 0 && (sqe.flags & IOSQE_CQE_SKIP_SUCCESS) != 0) return;
    post(sqe.user_data, res, flags);
}

void epoll_engine::submit(const io_uring_sqe& sqe) {
    try {
        if (sqe.opcode == IORING_OP_ASYNC_CANCEL)
            cancel(sqe);
        else
            begin(sqe);
    } catch (const std::bad_alloc&) {
        finish(sqe, -ENOMEM);
    }
}

void epoll_engine::begin(const io_uring_sqe& sqe) {
    if (!is_understood(sqe)) {
        finish(sqe, -EINVAL);
        return;
    }
    request r{sqe};
    r.tcp = sqe.opcode == IORING_OP_RECV && is_multishot(sqe) && is_tcp(sqe.fd);
    // The caller knows that the socket is empty.
    const bool receives = sqe.opcode == IORING_OP_RECV || sqe.opcode == IORING_OP_RECVMSG;
    if (receives && (sqe.ioprio & IORING_RECVSEND_POLL_FIRST) != 0) {
        r.wants = EPOLLIN | EPOLLRDHUP;
        park(std::move(r), false, state_after::waits);
        return;
    }
    // Whatever was there before is seen: no event needs to tell of it again.
    if (const state_after after = run(r, more_than_data); after != state_after::ended) park(std::move(r), true, after);
}

detail::attempt epoll_engine::attempt_once(request& r) {
    std::span<std::byte> room{reinterpret_cast<std::byte*>(r.sqe.addr), r.sqe.len};
    if ((r.sqe.flags & IOSQE_BUFFER_SELECT) == 0) return detail::try_call(r, room);
    const io_uring_buf* const buffer = next_buffer(r.sqe.buf_group);
    if (!buffer) return {.res = -ENOBUFS};
    if (r.sqe.opcode == IORING_OP_RECVMSG) return attempt_message(r, *buffer);
    const std::size_t bytes = r.sqe.len != 0 ? std::min(r.sqe.len, buffer->len) : buffer->len;
    room = {reinterpret_cast<std::byte*>(buffer->addr), bytes};
    attempt a = detail::try_call(r, room);
    r.moved = 0;  // of this buffer
    if (a.what != attempt::kind::done || a.res <= 0) return a;
    a.flags = use_buffer(r.sqe.buf_group);
    if (!a.drained) a.flags |= IORING_CQE_F_SOCK_NONEMPTY;
    return a;
}

// A multishot recvmsg, once.
detail::attempt epoll_engine::attempt_message(request& r, const io_uring_buf& buffer) {
    const msghdr& asked = *reinterpret_cast<const msghdr*>(r.sqe.addr);
    const int flags = static_cast<int>(r.sqe.msg_flags) | MSG_DONTWAIT;
    const std::span<std::byte> room{reinterpret_cast<std::byte*>(buffer.addr), buffer.len};
    const std::int64_t res = detail::receive_laid_out(room, asked, [&](msghdr& message) -> std::int64_t {
        for (;;) {
            const ssize_t n = ::recvmsg(r.sqe.fd, &message, flags);
            if (n >= 0 || errno != EINTR) return n >= 0 ? n : -errno;
        }
    });
    if (res == -EAGAIN) return {.what = attempt::kind::wait, .wants = EPOLLIN | EPOLLRDHUP};
    attempt a{.res = static_cast<std::int32_t>(res)};
    if (res > 0) a.flags = use_buffer(r.sqe.buf_group);
    return a;
}

// Whether a multishot request goes on after this.
bool epoll_engine::goes_on(const io_uring_sqe& sqe, std::int32_t res) noexcept {
    if (sqe.opcode == IORING_OP_ACCEPT) return res >= 0;
    if (sqe.opcode == IORING_OP_RECVMSG) return detail::goes_on_after(res, *reinterpret_cast<const msghdr*>(sqe.addr));
    return res > 0;
}

// Goes on with a request as far as it can without waiting. `events`: what epoll told of its descriptor.
epoll_engine::state_after epoll_engine::run(request& r, std::uint32_t events) {
    const bool multishot = is_multishot(r.sqe);
    for (unsigned shots = 1;; ++shots) {
        const attempt a = attempt_once(r);
        if (a.what == attempt::kind::wait) {
            r.wants = a.wants;
            return state_after::waits;
        }
        if (a.what == attempt::kind::file) {
            start_file_call(std::move(r));
            return state_after::ended;
        }
        if (!multishot || !goes_on(r.sqe, a.res)) {
            finish(r.sqe, a.res, a.flags);
            return state_after::ended;
        }
        post(r.sqe.user_data, a.res, a.flags | IORING_CQE_F_MORE);
        r.wants = EPOLLIN | EPOLLRDHUP;
        // An emptied stream needs no second call to say so: what comes now is a new edge. But an end that was told of
        // already is not told again.
        if (a.drained && (events & more_than_data) == 0 && r.tcp) return state_after::waits;
        if (shots == shots_max) return state_after::eager;
    }
}

void epoll_engine::park(request&& from, bool tried, state_after how) {
    const int fd = from.watched;
    if (fd < 0) {
        finish(from.sqe, -EBADF);
        return;
    }
    if (static_cast<std::size_t>(fd) >= watched_.size()) watched_.resize(static_cast<std::size_t>(fd) + 64);
    watched& on = watched_[static_cast<std::size_t>(fd)];
    // With others waiting on it the descriptor is watched, and what has come since the attempt is a new edge.
    if (on.first == nullptr || !tried) {
        if (const int error = watch(fd); error != 0) {
            const bool can_block = from.sqe.opcode == IORING_OP_READ || from.sqe.opcode == IORING_OP_WRITE;
            if (error == EPERM && can_block)
                start_file_call(std::move(from));
            else
                finish(from.sqe, -error);
            return;
        }
    }
    auto kept = std::make_unique<request>(std::move(from));
    if (how == state_after::eager) make_eager(fd);
    remember(*kept);
    request& r = *kept.release();
    r.listed_at = fd;
    r.previous_on_fd = nullptr;
    r.next_on_fd = on.first;
    if (on.first) on.first->previous_on_fd = &r;
    on.first = &r;
}

// Has epoll tell of what is ready now, and of every change. Gives 0 or an errno.
int epoll_engine::watch(int fd) noexcept {
    watched& on = watched_[static_cast<std::size_t>(fd)];
    epoll_event event{};
    event.events = everything;
    event.data.u64 = static_cast<std::uint64_t>(fd);
    // A descriptor's number may be another file's by now, which epoll does not know.
    for (const bool first : {true, false}) {
        const int operation = on.known == first ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
        if (::epoll_ctl(epoll_.get(), operation, fd, &event) == 0) {
            on.known = true;
            return 0;
        }
        if (errno != ENOENT && errno != EEXIST) return errno;
    }
    return errno;
}

void epoll_engine::unpark(request& r) noexcept {
    watched& on = watched_[static_cast<std::size_t>(r.listed_at)];
    (r.previous_on_fd ? r.previous_on_fd->next_on_fd : on.first) = r.next_on_fd;
    if (r.next_on_fd) r.next_on_fd->previous_on_fd = r.previous_on_fd;
    forget(r);
    delete &r;
}

void epoll_engine::make_eager(int fd) {
    watched& on = watched_[static_cast<std::size_t>(fd)];
    if (on.eager) return;
    eager_.push_back(fd);
    on.eager = true;
}

void epoll_engine::on_event(int fd, std::uint32_t events) {
    for (request* r = watched_[static_cast<std::size_t>(fd)].first; r != nullptr;) {
        request* const next = r->next_on_fd;
        if ((events & (r->wants | always)) != 0) {
            const state_after after = run(*r, events);
            if (after == state_after::ended) {
                unpark(*r);
            } else if (after == state_after::waits && (events & EPOLLRDHUP) != 0 && is_shut_to(r->sqe)) {
                finish(r->sqe, 0);
                unpark(*r);
            } else if (r->watched != fd) {  // a splice, which has to wait at its other end now
                request moved = std::move(*r);
                unpark(*r);
                park(std::move(moved), false, after);
            }
            if (after == state_after::eager) make_eager(fd);
        }
        r = next;
    }
}

// Waits for events until `until`, not at all when that has passed, and goes on with what they concern.
// False when a signal ended the wait.
bool epoll_engine::collect(deadline until) {
    std::array<epoll_event, events_max> events;
    const std::vector<int> eager = std::exchange(eager_, {});
    const int count = wait_for_events(events.data(), eager.empty() ? until : deadline::min());
    const bool interrupted = count < 0;
    if (interrupted && errno != EINTR) throw std::system_error{errno, std::generic_category(), "epoll_wait"};
    for (const int fd : eager) {
        watched_[static_cast<std::size_t>(fd)].eager = false;
        on_event(fd, EPOLLIN | more_than_data);
    }
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.u64 == calls_done_mark)
            reap_file_calls();
        else
            on_event(static_cast<int>(event.data.u64), event.events);
    }
    return !interrupted;
}

int epoll_engine::wait_for_events(epoll_event* events, deadline until) noexcept {
    constexpr int most = static_cast<int>(events_max);
    if (until == no_deadline) return ::epoll_wait(epoll_.get(), events, most, -1);
    if (until == deadline::min()) return ::epoll_wait(epoll_.get(), events, most, 0);
    const auto left = std::max(until - clock::now(), clock::duration::zero());
    timespec limit{};
    limit.tv_sec = std::chrono::floor<std::chrono::seconds>(left).count();
    limit.tv_nsec = (left % std::chrono::seconds{1}).count();
    const int count = ::epoll_pwait2(epoll_.get(), events, most, &limit, nullptr);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    // Before Linux 5.11, and under filters that do not know it.
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return ::epoll_wait(epoll_.get(), events, most, static_cast<int>(std::min<std::int64_t>(ms, 1'000'000'000)));
}

void epoll_engine::cancel(const io_uring_sqe& sqe) {
    if (sqe.cancel_flags != 0) {
        finish(sqe, -EINVAL);
        return;
    }
    request* target = *bucket_of(sqe.addr);
    while (target && target->sqe.user_data != sqe.addr) target = target->next_in_bucket;
    if (!target) {
        finish(sqe, -ENOENT);
        return;
    }
    if (target->call) {
        if (!threads_->try_remove(*target->call)) {
            finish(sqe, -EALREADY);
            return;
        }
        const std::unique_ptr<request> gone{target};
        forget(*gone);
        finish(sqe, 0);
        finish(gone->sqe, -ECANCELED);
        return;
    }
    finish(sqe, 0);
    finish(target->sqe, target->moved > 0 ? static_cast<std::int32_t>(target->moved) : -ECANCELED);
    unpark(*target);
}

void epoll_engine::start_file_call(request&& from) {
    auto kept = std::make_unique<request>(std::move(from));
    kept->call = std::make_unique<file_call>(kept->sqe, &serve_file_call);
    kept->call->owner = this;
    kept->call->of_request = kept.get();
    remember(*kept);
    try {
        threads_->submit(*kept->call);
    } catch (const std::exception&) {  // not even one thread: EAGAIN, which would mean something else to the caller
        forget(*kept);
        finish(kept->sqe, -ENOMEM);
        return;
    }
    static_cast<void>(kept.release());
}

void epoll_engine::serve_file_call(work_item& work) noexcept {
    auto& call = static_cast<file_call&>(work);
    auto& engine = *static_cast<epoll_engine*>(call.owner);
    call.res = call.make();
    file_call* head = engine.calls_done_.load(std::memory_order_relaxed);
    do {
        call.next_done = head;
    } while (
        !engine.calls_done_.compare_exchange_weak(head, &call, std::memory_order_release, std::memory_order_relaxed));
    if (head != nullptr) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(engine.calls_done_event_.get(), &one, sizeof one);
}

void epoll_engine::reap_file_calls() {
    for (file_call* call = calls_done_.exchange(nullptr, std::memory_order_acquire); call != nullptr;) {
        const std::unique_ptr<request> r{static_cast<request*>(call->of_request)};
        call = call->next_done;
        forget(*r);
        if (r->sqe.opcode == IORING_OP_SPLICE && r->call->res == -EAGAIN)
            begin(r->sqe);  // somebody else was faster
        else
            finish(r->sqe, r->call->res);
    }
}

// --- requests by user_data, for cancelling ---

epoll_engine::request** epoll_engine::bucket_of(std::uint64_t user_data) noexcept {
    // Addresses: the low bits say little.
    return &buckets_[(user_data * 0x9e3779b97f4a7c15U >> 32) & (buckets_.size() - 1)];
}

void epoll_engine::remember(request& r) {
    if (in_flight_ >= buckets_.size()) {
        std::vector<request*> old(2 * buckets_.size());
        old.swap(buckets_);
        for (request* all : old)
            while (all) {
                request& one = *std::exchange(all, all->next_in_bucket);
                request** const bucket = bucket_of(one.sqe.user_data);
                one.next_in_bucket = std::exchange(*bucket, &one);
            }
    }
    ++in_flight_;
    request** const bucket = bucket_of(r.sqe.user_data);
    r.next_in_bucket = std::exchange(*bucket, &r);
}

void epoll_engine::forget(request& r) noexcept {
    --in_flight_;
    request** link = bucket_of(r.sqe.user_data);
    while (*link != &r) link = &(*link)->next_in_bucket;
    *link = r.next_in_bucket;
}

}  // namespace ringlet::io
