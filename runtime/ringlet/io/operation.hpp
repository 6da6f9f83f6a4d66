// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/detail/plain_writer.hpp>
#include <ringlet/io/completion.hpp>
#include <ringlet/io/loop.hpp>

#include <liburing.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace ringlet::io {
namespace detail {

using ringlet::detail::job_block;
using ringlet::detail::wait_kind;

void cancel_operation(job_block& job) noexcept;

/// A request's length is 32 bits wide, and its result 31: what is longer is asked for in part.
inline unsigned request_bytes(std::size_t bytes) noexcept {
    constexpr std::size_t request_bytes_max = std::size_t{1} << 30;
    return static_cast<unsigned>(bytes < request_bytes_max ? bytes : request_bytes_max);
}

/// A call that a worker of the kernel had begun ends as one that a signal interrupts: with EINTR, or with one of the codes
/// (ERESTARTSYS to ERESTART_RESTARTBLOCK) that a system call would never show.
inline bool was_interrupted(std::int32_t res) noexcept { return res == -EINTR || (res <= -512 && res >= -516); }

/// What `res` < 0 means for the job: a cancellation that we asked for, or the operating system's error.
inline std::error_code operation_error(const job_block& job, std::int32_t res) noexcept {
    if (job.has(job_block::cancel_sent) && (res == -ECANCELED || was_interrupted(res)))
        return ringlet::detail::cancelled_code();
    return {was_interrupted(res) ? EINTR : -res, std::generic_category()};
}

/// "127.0.0.1:5000" (the peer, or else its own), "/etc/hosts", "process 1234", or "fd 7": for error texts and reports.
std::string describe_fd(int fd);

template <class Derived>
void describe_wait(const job_block& job, std::string& out) {
    if constexpr (requires(const Derived& d) { d.subject(); })
        if (const std::string about = static_cast<const Derived*>(job.wait_object)->subject(); !about.empty())
            out += " " + about;
}

/// For reports of a crash, where the peer is not asked for.
template <class Derived>
void plainly_describe(const Derived& operation, const ringlet::detail::plain_writer& out) noexcept {
    if constexpr (requires { operation.descriptor(); }) out.descriptor(operation.descriptor());
}
template <class Derived>
void plainly_describe_wait(const job_block& job, const ringlet::detail::plain_writer& out) noexcept {
    plainly_describe(*static_cast<const Derived*>(job.wait_object), out);
}

template <class Derived>
inline constexpr wait_kind operation_wait{.name = Derived::name,
                                          .cancel = &cancel_operation,
                                          .describe = &describe_wait<Derived>,
                                          .describe_in_handler = &plainly_describe_wait<Derived>};

}  // namespace detail

/// Base of every one-shot request to the kernel: submission, cancellation, the wait for the last CQE, errors.
/// `Derived` has `prepare(io_uring_sqe&) noexcept`, `finish(std::int32_t res) noexcept` giving the T (or a result<T>),
/// and `name`; optionally `subject()` for error texts, and `int descriptor() const noexcept` for the report of a crash. It must be trivially destructible.
template <class Derived, class T>
class [[nodiscard("nothing is submitted until this is awaited")]] operation : public leaf<Derived, T> {
public:
    using job_block = ringlet::detail::job_block;

    bool start(job_block& job) {
        static_assert(std::is_trivially_destructible_v<Derived>, "an operation owns nothing: it borrows");
        loop& here = loop::current();
        io_uring_sqe& sqe = here.next_sqe();
        derived().prepare(sqe);
        sqe.user_data = reinterpret_cast<std::uint64_t>(&job) | detail::tag_job;
        here.request_begun();
        job.wait_object = &derived();
        job.waiting = &detail::operation_wait<Derived>;
        return true;
    }
    result<T> outcome(job_block& job) noexcept {
        const std::int32_t res = job.res;
        if (res < 0) [[unlikely]] {
            const std::error_code error = detail::operation_error(job, res);
            job.clear(job_block::cancel_sent);
            return error;
        }
        job.clear(job_block::cancel_sent);
        if constexpr (std::is_void_v<T>) {
            if constexpr (requires { derived().finish(res); }) derived().finish(res);
            return {};
        } else {
            return derived().finish(res);
        }
    }

protected:
    operation() noexcept = default;
    operation(operation&&) noexcept = default;
    ~operation() = default;

private:
    Derived& derived() noexcept { return static_cast<Derived&>(*this); }
};

/// What a repeated operation does after a CQE.
enum class after_cqe : std::uint8_t { done, again, parked };

/// Base of requests that may have to be submitted more than once before the job goes on, such as "send all of it".
/// As `operation`, and `after_cqe next(std::int32_t res, std::uint32_t flags) noexcept`. A parked one calls `resubmit`.
template <class Derived, class T>
class [[nodiscard("nothing is submitted until this is awaited")]] repeated_operation : public leaf<Derived, T>,
                                                                                       private completion {
public:
    using job_block = ringlet::detail::job_block;

    bool start(job_block& job) {
        static_assert(std::is_trivially_destructible_v<Derived>, "an operation owns nothing: it borrows");
        job_ = &job;
        job.wait_object = this;
        job.waiting = &wait;
        submit();
        return true;
    }
    result<T> outcome(job_block& job) noexcept {
        const std::int32_t res = job.res;
        if (res < 0) [[unlikely]] {
            const std::error_code error = detail::operation_error(job, res);
            job.clear(job_block::cancel_sent);
            return error;
        }
        job.clear(job_block::cancel_sent);
        if constexpr (std::is_void_v<T>)
            return {};
        else
            return derived().finish(res, job.cqe_flags);
    }

protected:
    repeated_operation() noexcept : completion{&arrived} {}
    repeated_operation(repeated_operation&&) noexcept : repeated_operation{} {}
    ~repeated_operation() = default;

    /// Goes on after `parked`. A cancellation that came meanwhile ends the operation instead.
    void resubmit() noexcept {
        parked_ = false;
        submit();
    }
    /// Called when a parked operation is cancelled: leave whatever list it is parked in.
    void unpark() noexcept {}

private:
    static void arrived(completion& base, std::int32_t res, std::uint32_t flags) noexcept {
        auto& self = static_cast<repeated_operation&>(base);
        loop& here = loop::current();
        here.request_ended();
        job_block& job = *self.job_;
        after_cqe next = self.derived().next(res, flags);
        if (next != after_cqe::done && job.has(job_block::cancel_sent)) {
            if (next == after_cqe::parked) self.derived().unpark();
            next = after_cqe::done;
            res = -ECANCELED;
        }
        if (next == after_cqe::again) {
            self.submit();
        } else if (next == after_cqe::parked) {
            self.parked_ = true;
        } else {
            job.res = res;
            job.cqe_flags = flags;
            here.make_ready(job);
        }
    }
    static void cancel(job_block& job) noexcept {
        auto& self = *static_cast<repeated_operation*>(job.wait_object);
        if (job.has(job_block::cancel_sent)) return;
        job.set(job_block::cancel_sent);
        if (self.parked_) {
            self.derived().unpark();
            job.res = -ECANCELED;
            loop::current().make_ready(job);
        } else {
            loop::current().cancel_request(self.user_data());
        }
    }
    static void describe(const job_block& job, std::string& out) {
        const auto& self = static_cast<const Derived&>(*static_cast<const repeated_operation*>(job.wait_object));
        if constexpr (requires { self.subject(); }) out += " " + self.subject();
    }
    static void describe_plainly(const job_block& job, const ringlet::detail::plain_writer& out) noexcept {
        detail::plainly_describe(static_cast<const Derived&>(*static_cast<const repeated_operation*>(job.wait_object)),
                                 out);
    }
    void submit() noexcept {
        loop& here = loop::current();
        io_uring_sqe& sqe = here.next_sqe();
        derived().prepare(sqe);
        sqe.user_data = user_data();
        here.request_begun();
    }
    std::uint64_t user_data() noexcept {
        return reinterpret_cast<std::uint64_t>(static_cast<completion*>(this)) | detail::tag_completion;
    }
    Derived& derived() noexcept { return static_cast<Derived&>(*this); }

    static constexpr ringlet::detail::wait_kind wait{
        .name = Derived::name, .cancel = &cancel, .describe = &describe, .describe_in_handler = &describe_plainly};

    job_block* job_ = nullptr;
    bool parked_ = false;
};

}  // namespace ringlet::io
