// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/plain_writer.hpp>
#include <ringlet/io/acceptor.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/io/operation.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>
#include <liburing.h>

#include <cerrno>
#include <new>
#include <system_error>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

namespace ringlet::io {

using ringlet::detail::job_block;

struct acceptor::state : completion, listed {
    explicit state(owned_fd listening) noexcept : completion{&arrived}, listed{entry}, socket{std::move(listening)} {}
    ~state() {
        while (!kept.empty()) sys::close(take());
    }

    void arm(loop& on) {
        io_uring_sqe& sqe = on.next_sqe();
        if (multishot)
            io_uring_prep_multishot_accept(&sqe, socket.get(), nullptr, nullptr, SOCK_CLOEXEC);
        else
            io_uring_prep_accept(&sqe, socket.get(), nullptr, nullptr, SOCK_CLOEXEC);
        sqe.user_data = user_data();
        on.request_begun();
        on.add_standing(*this);
        where = &on;
        stopping = false;
    }
    bool armed() const noexcept { return where != nullptr; }
    void stop() noexcept {
        if (!armed() || stopping) return;
        stopping = true;
        where->cancel_request(user_data());
    }
    int take() noexcept {
        const int fd = kept[first++];
        if (first == kept.size() || first == kept_max) {
            kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(first));
            first = 0;
        }
        return fd;
    }

    static void arrived(completion& base, std::int32_t res, std::uint32_t flags) noexcept {
        auto& self = static_cast<state&>(base);
        loop& here = *self.where;
        if ((flags & IORING_CQE_F_MORE) == 0) {
            here.request_ended();
            self.link.unlink();
            self.where = nullptr;
        }
        if (self.orphan) {
            if (res >= 0) sys::close(res);
            if (!self.armed()) delete &self;
            return;
        }
        self.handle(here, res);
    }

    void handle(loop& here, std::int32_t res) noexcept {
        const bool unknown = res == -EINVAL && multishot && !worked;
        if (res >= 0) worked = true;
        if (unknown) multishot = false;
        if (unknown || (res == -ECANCELED && stopping)) {
            // Nothing for anybody to see: go on below if somebody waits.
        } else if (waiter) {
            waiter->res = res;
            here.make_ready(*std::exchange(waiter, nullptr));
        } else if (res >= 0) {
            keep(res);
        }  // else an error that the next wait meets again
        if (waiter && !armed()) arm(here);
        if (kept.size() - first >= kept_max) stop();
    }
    void keep(int fd) noexcept {
        try {
            kept.push_back(fd);
        } catch (const std::bad_alloc&) {
            sys::close(fd);
        }
    }

    std::uint64_t user_data() noexcept {
        return reinterpret_cast<std::uint64_t>(static_cast<completion*>(this)) | detail::tag_completion;
    }
    static void stop_now(listed& base) noexcept { static_cast<state&>(base).stop(); }
    static void cancel(job_block& job) noexcept {
        static_cast<state*>(job.wait_object)->waiter = nullptr;
        job.res = ringlet::detail::wait_cancelled;
        loop::current().make_ready(job);
    }
    static void describe(const job_block& job, std::string& out) {
        const int fd = static_cast<const state*>(job.wait_object)->socket.get();
        out += fmt::format(" fd {}, {}", fd, detail::describe_fd(fd));
    }
    static void describe_plainly(const job_block& job, const ringlet::detail::plain_writer& out) noexcept {
        out.descriptor(static_cast<const state*>(job.wait_object)->socket.get());
    }
    static std::string name_of(const listed& base) {
        return "accept " + detail::describe_fd(static_cast<const state&>(base).socket.get());
    }
    static const listed::kind entry;
    static constexpr ringlet::detail::wait_kind kind{
        .name = "accept", .cancel = &cancel, .describe = &describe, .describe_in_handler = &describe_plainly};

    owned_fd socket;
    loop* where = nullptr;        // the loop that the request is armed on
    job_block* waiter = nullptr;  // who gets the next connection
    std::vector<int> kept;        // connections for which nobody waited; from `first` on
    std::size_t first = 0;
    bool multishot = true;
    bool worked = false;
    bool stopping = false;
    bool orphan = false;
    bool shared = false;
};

const listed::kind acceptor::state::entry{&stop_now, &name_of};

void acceptor::release::operator()(state* s) const noexcept {
    ringlet::detail::require(s->waiter == nullptr,
                             "a listener was destroyed while a job waits in accept: cancel and join that job first");
    if (!s->armed()) {
        delete s;
        return;
    }
    // The request holds the socket until its last CQE, so refuse new connections by hand, now.
    if (!s->shared) sys::shutdown(s->socket.get(), SHUT_RD);
    s->orphan = true;
    s->stop();
}

acceptor::acceptor(owned_fd listening, bool shared) : state_{new state{std::move(listening)}} {
    state_->shared = shared;
}

fd_ref acceptor::socket() const noexcept { return fd_ref{state_ ? state_->socket.get() : -1}; }

bool acceptor::wait::start(job_block& job) {
    using ringlet::detail::require;
    require(state_ != nullptr, "accept on a listener that was closed");
    state& s = *state_;
    require(s.waiter == nullptr, "two jobs accept on the same listener: let one accept and spawn the others");
    if (!s.kept.empty()) {
        job.res = s.take();
        return ringlet::detail::suspend_once(job);
    }
    loop& here = loop::current();
    require(!s.armed() || s.where == &here, "a listener is used by two loops at a time: give each its own");
    // One that is being stopped is armed again when its last CQE has come.
    if (!s.armed()) s.arm(here);
    s.waiter = &job;
    job.wait_object = &s;
    job.waiting = &state::kind;
    return true;
}

result<owned_fd> acceptor::wait::outcome(job_block& job) noexcept {
    if (job.res < 0) return std::error_code{-job.res, std::generic_category()};
    return owned_fd{job.res};
}

std::string acceptor::wait::subject() const { return detail::describe_fd(state_->socket.get()); }

}  // namespace ringlet::io
