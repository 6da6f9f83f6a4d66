// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

struct io_uring_sqe;
struct io_uring_cqe;
struct io_uring_buf_reg;

namespace ringlet::io {

class thread_pool;

/// The size of an io_uring_sqe, which is only declared here.
inline constexpr std::size_t sqe_bytes = 64;

/// For `engine::enter`: wait however long it takes.
inline constexpr deadline no_deadline = deadline::max();

/// The seam: a queue of 64-byte SQEs to one side, a queue of CQEs from the other. Everything above fills and reads the
/// same memory whichever engine runs; engines differ in `enter` only, which is called once a loop turn.
class engine {
public:
    engine() = default;
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    virtual ~engine() = default;

    /// "io_uring", "epoll", ...
    virtual std::string_view name() const noexcept = 0;

    /// Submits every SQE up to `sq_tail`, advances `sq_head` past those taken, and waits until there are `wanted`
    /// completions or `until` has come. May return early (a signal). Throws std::system_error on what cannot be mended.
    virtual void enter(unsigned wanted, deadline until) = 0;

    /// True when completions exist that an `enter` would bring, or that are there already.
    virtual bool completions_waiting() const noexcept = 0;

    /// Have completions come? Called again and again by a loop that spins before it sleeps.
    virtual bool look() { return completions_waiting(); }

    /// Registers a ring of provided buffers (IORING_REGISTER_PBUF_RING). Returns 0 or -errno.
    virtual int register_buffers(io_uring_buf_reg& ring) noexcept = 0;
    virtual void unregister_buffers(unsigned group) noexcept = 0;

    /// Where virtual time is kept; null when the engine runs in real time.
    virtual const deadline* virtual_now() const noexcept { return nullptr; }

    /// In virtual time: nothing that is in flight can ever complete, because nothing is left that could happen.
    virtual bool waits_for_ever() const noexcept { return false; }

    /// The threads that the loop's blocking calls go to.
    virtual std::unique_ptr<thread_pool> make_threads();

    // The two queues. SQEs between sq_head and sq_tail are filled and not yet taken; CQEs between *cq_head and *cq_tail
    // are to be read.
    io_uring_sqe* sqes = nullptr;
    unsigned sq_mask = 0;
    unsigned sq_head = 0;
    unsigned sq_tail = 0;
    io_uring_cqe* cqes = nullptr;
    unsigned cq_mask = 0;
    unsigned* cq_head = nullptr;
    unsigned* cq_tail = nullptr;

    /// The SQE at a position, counted as sq_head and sq_tail are.
    io_uring_sqe& sqe_at(unsigned position) const noexcept {
        return *reinterpret_cast<io_uring_sqe*>(reinterpret_cast<std::byte*>(sqes) +
                                                std::size_t{position & sq_mask} * sqe_bytes);
    }
    unsigned sq_room() const noexcept { return sq_mask + 1 - (sq_tail - sq_head); }
};

/// Sizes of the ring. The CQ's also sizes the kernel's table of requests that can be cancelled.
struct ring_sizes {
    unsigned sq_entries = 512;
    unsigned cq_entries = 8192;
};

/// The kernel's ring, set up with the best flags that the kernel takes.
/// Errors: `engine_unavailable` where io_uring is denied or too old, with cause and remedy; std::system_error for a
/// shortage (ENOMEM, EMFILE).
std::unique_ptr<engine> make_uring_engine(const ring_sizes& sizes = ring_sizes());

/// An engine, and why it is that one.
struct chosen_engine {
    std::unique_ptr<engine> chosen;
    std::string why;
};

/// The kernel's ring; where that is denied or too old, epoll. RINGLET_ENGINE=uring or epoll forces one.
/// Errors: usage_error for another value of RINGLET_ENGINE; engine_unavailable when uring was forced; std::system_error
/// for a shortage (EMFILE; ENOMEM where locked memory has no limit), which is no reason to take the other.
chosen_engine make_engine(const ring_sizes& sizes = ring_sizes());

/// io_uring cannot be had here. `what()` says whether sysctl, seccomp, the kernel's age or the limit of locked memory is the cause, and the remedy.
class engine_unavailable : public std::system_error {
public:
    using system_error::system_error;
};

namespace detail {

/// For tests: every engine that make_engine gives passes through this.
inline std::unique_ptr<engine> (*decorate_engine)(std::unique_ptr<engine>) = nullptr;

/// Which of sysctl, seccomp or age made io_uring_setup(2) fail with `error`, and the exact remedy.
/// `disabled_sysctl` is the text of /proc/sys/kernel/io_uring_disabled, empty when there is none.
std::string explain_unavailable(int error, std::string_view disabled_sysctl, std::string_view seccomp_mode,
                                std::string_view kernel_release);

}  // namespace detail
}  // namespace ringlet::io
