// SPDX-License-Identifier: MIT
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ringlet::detail {

struct job_block;
class job_group;
class cancel_scope;
struct join_waiter;
struct unwinding;
struct plain_writer;

/// The job that runs has got the failure of `job`, which has a chain, and may throw it on.
void chain_seen(job_block& job) noexcept;
/// The block of `job`, which has a chain, goes; who got the failure may still ask for the chain.
void leave_chain(job_block& job) noexcept;

/// Whether jobs note what only reports and statistics ask for: where they await, since when, how many are ready. Off in one
/// program, the benchmark of what that costs (tests/bench/micro/eyes.cpp).
#ifdef RINGLET_DETAIL_WITHOUT_EYES
inline constexpr bool with_eyes = false;
#else
inline constexpr bool with_eyes = true;
#endif

/// What a suspended job waits for. One static object per kind of wait.
struct wait_kind {
    std::string_view name;
    /// Ends the wait, now or as soon as it can be ended: the job becomes ready exactly once in every case.
    void (*cancel)(job_block&) noexcept;
    /// Says more, e.g. which descriptor; may be null. Called only for reports.
    void (*describe)(const job_block&, std::string& out) = nullptr;
    /// As `describe`, in short, in the handler of a crash: reads plain memory, and nothing else; may be null.
    void (*describe_in_handler)(const job_block&, const plain_writer& out) noexcept = nullptr;
};

/// Position in the timer heap; lives in the job or scope that owns the timer.
struct timer_node {
    static constexpr std::uint32_t unarmed = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t position = unarmed;
    bool armed() const noexcept { return position != unarmed; }
};

struct list_link {
    list_link* prev = nullptr;
    list_link* next = nullptr;

    bool linked() const noexcept { return next != nullptr; }
    void unlink() noexcept {
        prev->next = next;
        next->prev = prev;
        prev = next = nullptr;
    }
    void insert_before(list_link& other) noexcept {
        prev = other.prev;
        next = &other;
        prev->next = this;
        other.prev = this;
    }
};

/// How to move the result out of the finished root frame, and how to free the block. One static object per job type.
struct job_type {
    void (*finish)(job_block&, std::coroutine_handle<> root) noexcept;
    void (*destroy)(job_block*) noexcept;
};

/// Value of `job_block::res` when a wait ended by cancellation.
inline constexpr std::int32_t wait_cancelled = std::numeric_limits<std::int32_t>::min();

/// The control block of a job: everything the runtime knows about it, two cache lines. A job waits for one thing at a
/// time, so one operation record, one list link and one timer are enough.
struct alignas(16) job_block {
    enum flag : std::uint32_t {
        cancel_requested = 1u << 0,
        cancel_pending = 1u << 1,  ///< some cancellation, not shielded, is to be raised by the next await
        cancel_sent = 1u << 2,     ///< the operation in flight has been asked to end
        started = 1u << 3,
        done = 1u << 4,
        handle_dropped = 1u << 5,
        joined = 1u << 6,
        value_taken = 1u << 7,
        holds_room = 1u << 8,  ///< of a pool: one of its places is this job's until it ends
        has_chain = 1u << 9,   ///< it has failed, and `chain` tells the way of the failure
    };
    static constexpr unsigned serial_shift = 10;  ///< the bits above the flags are the serial number

    job_block* next_ready = nullptr;
    union {
        std::coroutine_handle<> resume_point;  ///< of the innermost frame; until the root frame has ended
        std::exception_ptr failure;            ///< from then on (`root_ended`): what left the root frame
    };
    const wait_kind* waiting = nullptr;  ///< null while the job runs, is ready, or is done
    union {
        void* wait_object = nullptr;  ///< the operation, lock or group waited for
        unwinding* chain;             ///< of one that `has_chain`, which waits no more
    };
    std::int32_t res = 0;
    std::uint32_t cqe_flags = 0;
    timer_node timer;
    std::uint32_t flags = 0;
    list_link link;
    cancel_scope* scope = nullptr;
    job_group* group = nullptr;
    list_link group_link;
    join_waiter* joiner = nullptr;
    const job_type* type;
    std::string* name = nullptr;

    explicit job_block(const job_type* job_type) noexcept : resume_point{nullptr}, type{job_type} {}
    job_block(const job_block&) = delete;
    ~job_block() {
        delete name;
        if (has(has_chain)) [[unlikely]]
            leave_chain(*this);
        if (has(done)) std::destroy_at(&failure);
    }
    void root_ended() noexcept { std::construct_at(&failure); }

    std::string_view name_or_none() const noexcept { return name ? std::string_view{*name} : ""; }
    void set_name(std::string text) {
        if (name)
            *name = std::move(text);
        else
            name = new std::string{std::move(text)};
    }

    bool has(flag f) const noexcept { return (flags & f) != 0; }
    void set(flag f) noexcept { flags |= f; }
    void clear(flag f) noexcept { flags &= ~static_cast<std::uint32_t>(f); }

    /// The job that runs sees how this one has ended.
    void seen() noexcept {
        set(joined);
        if (has(has_chain)) [[unlikely]]
            chain_seen(*this);
    }

    /// Tells this job from one that had the same block before. Given when it is first asked for, so that it costs only those
    /// who want it; after 2^22 jobs of a thread that did, the numbers come again.
    std::uint32_t serial() noexcept {
        if (flags >> serial_shift == 0) [[unlikely]] {
            static constinit thread_local std::uint32_t last = 0;
            last += 1u << serial_shift;
            if (last == 0) last = 1u << serial_shift;
            flags |= last;
        }
        return flags >> serial_shift;
    }
    /// As above; 0 when nobody has asked.
    std::uint32_t serial_if_given() const noexcept { return flags >> serial_shift; }

    static job_block& from_link(list_link& l) noexcept {
        return *reinterpret_cast<job_block*>(reinterpret_cast<std::byte*>(&l) - offset_of_link());
    }
    static job_block& from_group_link(list_link& l) noexcept {
        return *reinterpret_cast<job_block*>(reinterpret_cast<std::byte*>(&l) - offset_of_group_link());
    }
    static job_block& from_timer(timer_node& t) noexcept {
        return *reinterpret_cast<job_block*>(reinterpret_cast<std::byte*>(&t) - offset_of_timer());
    }

private:
    static constexpr std::size_t offset_of_link() noexcept;
    static constexpr std::size_t offset_of_group_link() noexcept;
    static constexpr std::size_t offset_of_timer() noexcept;
};
static_assert(sizeof(job_block) == 128, "two cache lines: see docs/benchmarks.md for what a byte here costs");
// The last eight bytes are the derived block's to use: a connection keeps its peer there.

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
constexpr std::size_t job_block::offset_of_link() noexcept { return offsetof(job_block, link); }
constexpr std::size_t job_block::offset_of_group_link() noexcept { return offsetof(job_block, group_link); }
constexpr std::size_t job_block::offset_of_timer() noexcept { return offsetof(job_block, timer); }
#pragma GCC diagnostic pop

}  // namespace ringlet::detail
