// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/job.hpp>
#include <ringlet/core/scheduler.hpp>
#include <ringlet/io/completion.hpp>
#include <ringlet/io/engine.hpp>
#include <ringlet/io/report_bell.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/time/timer_queue.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

namespace ringlet::io {

class buffer_ring;
class mailbox;
class thread_pool;

/// How a loop runs.
struct loop_options {
    ring_sizes ring;
    /// Look for completions this long before sleeping in the kernel: costs CPU, saves the wake-up of an idle
    /// processor (docs/benchmarks.md). Off by default; the variable RINGLET_SPIN_US sets it for a program.
    std::chrono::nanoseconds spin{0};
    /// Jobs resumed in a turn before completions are looked at.
    std::size_t batch_max = 1024;
    /// Provided buffers for receiving: how many (a power of two) and how large.
    unsigned buffers = 256;
    unsigned buffer_bytes = 4096;
    /// When all are out and more data wait, further buffers are made, up to so many in all; they stay. After that
    /// receiving waits until one comes back.
    unsigned buffers_max = 65536;
    /// The same for datagrams, as large as they can be: room for what UDP carries at most, with sender and control data.
    /// The stride is no multiple of a page, so that the beginnings of many do not compete for the same cache lines.
    unsigned message_buffers = 64;
    unsigned message_buffer_bytes = 65'536 + 128;
    unsigned message_buffers_max = 256;
    /// A job that runs longer than this without awaiting is named on standard error, at most once a second. 0: nobody
    /// looks. The variable RINGLET_WATCHDOG_MS sets it for a program.
    std::chrono::milliseconds watchdog{0};
};

/// What a loop has done since it was made.
struct loop_statistics {
    std::uint64_t turns = 0;
    std::uint64_t submissions = 0;  ///< requests given to the kernel
    std::uint64_t completions = 0;  ///< CQEs taken
    std::uint64_t enters = 0;   ///< times it went to the kernel: a system call each (io_uring_enter), a few with epoll
    std::uint64_t calls = 0;    ///< system calls besides: those that this thread made by io::sys
    std::size_t ready_max = 0;  ///< the longest ready queue at the beginning of a turn
    std::size_t ready = 0;      ///< jobs that are ready now
    std::size_t in_flight = 0;  ///< requests whose last CQE is to come
    /// The longest time that went to jobs between two looks at the kernel: what anybody else may have had to wait. All that
    /// ran in one turn, so that it is at least the longest run of one job between two awaits, which a long turn of many
    /// short ones may exceed; with a watchdog, that run itself. Measured from the first call of `statistics()` on: two
    /// readings of the clock a turn are not for those who do not ask. 0 in virtual time.
    std::chrono::nanoseconds longest_run{0};
};

/// One loop: ready queue, timers, and one `enter` a turn. Belongs to the thread that made it; a thread has at most one.
class loop final : private ringlet::detail::scheduler {
public:
    explicit loop(const loop_options& options = loop_options());
    loop(std::unique_ptr<engine> engine, const loop_options& options);
    ~loop();

    /// Runs `main` as a job of the root group to its end, then cancels and joins every job left.
    ///
    /// Result:  the task's value.
    /// Errors:  the task's failure; else the first failure of a job that nobody joined; deadlock_error when nothing can
    ///          run any more, with every job's wait in its text; std::system_error from the engine.
    template <class T>
    T run(task<T> main) {
        const running here{*this};
        job<T> main_job = ringlet::detail::spawn_task_in(root(), std::move(main));
        run_main_job(main_job.block());
        if constexpr (!std::is_void_v<T>)
            return *std::move(static_cast<ringlet::detail::job_state<T>&>(main_job.block()).value);
    }

    std::string_view engine_name() const noexcept { return engine_->name(); }
    /// Why it is that engine, as a half-sentence for people.
    const std::string& engine_reason() const noexcept { return engine_reason_; }
    engine& backend() noexcept { return *engine_; }
    const loop_options& options() const noexcept { return options_; }
    loop_statistics statistics() const noexcept;

    // --- for operations ---

    static loop& current() noexcept { return static_cast<loop&>(ringlet::detail::current_scheduler()); }
    using scheduler::current_job;
    using scheduler::make_ready;

    /// The next free SQE, to be filled before anything else is done. Never null: a full queue is submitted first.
    io_uring_sqe& next_sqe() {
        if (engine_->sq_room() == 0) [[unlikely]]
            make_sq_room();
        return engine_->sqe_at(engine_->sq_tail++);
    }
    /// Counts requests whose last CQE is to come.
    void request_begun() noexcept { ++in_flight_; }
    void request_ended() noexcept { --in_flight_; }
    std::size_t in_flight() const noexcept { return in_flight_; }

    /// A request that belongs to no job and goes on between waits, such as a listener's multishot accept. It counts as
    /// in flight; when the run ends, those in the list are told to stop, and the loop waits for their last CQEs.
    void add_standing(listed& what) noexcept { what.link.insert_before(standing_); }

    /// Asks the kernel to end the request with this user_data. Its own completion still comes.
    void cancel_request(std::uint64_t user_data);

    /// The loop's provided buffers; registered at the first call. Throws std::system_error.
    buffer_ring& buffers();
    /// Those for datagrams.
    buffer_ring& message_buffers();
    /// How many of both somebody holds.
    std::size_t leased_buffers() const noexcept;
    /// The pool of threads for calls that block; started at the first call.
    thread_pool& threads();
    /// Where other threads leave work for this loop.
    mailbox& mail();
    /// Work that another thread owes this loop: while there is any, waiting is no deadlock.
    void expect_mail() noexcept { ++mail_expected_; }
    void mail_arrived() noexcept { --mail_expected_; }

private:
    struct running {
        explicit running(loop& self);
        ~running();
        scheduler* outer;
        std::optional<detail::report_bell> bell;
    };

    loop(chosen_engine engine, const loop_options& options);
    void run_main_job(ringlet::detail::job_block& main);
    void run_to_the_end(ringlet::detail::job_block& main, std::string& deadlock);
    void run_until(auto&& finished, std::string& deadlock);
    void stop_standing() noexcept;
    std::string describe_left() const;
    void turn(auto&& finished);
    bool stuck() const noexcept;
    void wait(deadline until);
    void enter(unsigned wanted, deadline until);
    void run_jobs(std::size_t resumptions_max);
    void run_watched(std::size_t resumptions_max);
    bool is_asked_for_report() const noexcept {
        return detail::reports_asked.load(std::memory_order_relaxed) != reports_answered_;
    }
    void answer_report();

    void note_time(deadline now) noexcept;
    void read_clock() noexcept;
    void reap() noexcept;
    void make_sq_room();

    std::thread::id owner_ = std::this_thread::get_id();
    loop_options options_;
    std::unique_ptr<engine> engine_;
    std::string engine_reason_;
    ringlet::detail::timer_queue timers_;
    ringlet::detail::list_link standing_{&standing_, &standing_};
    std::size_t in_flight_ = 0;
    std::size_t mail_expected_ = 0;
    deadline report_left_at_ = no_deadline;  // when what has not ended by then is named
    loop_statistics counted_;
    std::chrono::nanoseconds longest_turn_{0};
    mutable bool measures_runs_ = false;
    std::uint64_t calls_before_ = sys::calls;
    unsigned sqes_counted_ = 0;
    std::uint64_t read_clock_at_turn_ = 0;
    std::uint64_t turns_between_clocks_ = 1;
    deadline clock_read_at_{};
    deadline looks_until_ = no_deadline;  // when timers are to be looked at next
    deadline next_warning_ = deadline::min();
    std::uint32_t reports_answered_ = detail::reports_asked;
    bool broken_ = false;
    unsigned* reaping_ = nullptr;
    std::unique_ptr<mailbox> mailbox_;
    std::unique_ptr<thread_pool> threads_;
    std::unique_ptr<buffer_ring> buffers_;
    std::unique_ptr<buffer_ring> message_buffers_;
};

}  // namespace ringlet::io

namespace ringlet {
using io::loop;
using io::loop_options;
using io::loop_statistics;
}  // namespace ringlet
