// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/promise.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/io/mailbox.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/io/thread_pool.hpp>

#include <fmt/format.h>
#include <liburing.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <string>
#include <thread>

namespace ringlet::io {
namespace {

using ringlet::detail::is_cancelled;
using ringlet::detail::job_block;
using ringlet::detail::request_cancel;
using ringlet::detail::require;
using ringlet::detail::this_thread_scheduler;

// With anything to wait for, look at it at least this often, however many jobs are ready.
constexpr std::size_t resumptions_between_looks = 64;

// Without timers nobody needs the clock but the reports ("waits for 1.2 s"). Reading it costs as much as a tenth of a turn,
// so busy loops read it every so many turns, calm ones each turn.
constexpr std::uint64_t turns_between_clocks_max = 64;
constexpr std::chrono::milliseconds calm{1};
// Where the loop could not look for longer, because the process was stopped (Ctrl-Z) or a job did not await, what it waits
// for may have come meanwhile: limits that ran out get as much, once, to see it.
constexpr std::chrono::milliseconds absence{500};

// What does not end for so long after it was told to is named.
constexpr std::chrono::seconds patience_at_end{5};

loop_options with_environment(loop_options options) {
    if (const char* text = std::getenv("RINGLET_SPIN_US")) {
        unsigned spin_us = 0;
        if (std::from_chars(text, text + std::strlen(text), spin_us).ec == std::errc{})
            options.spin = std::chrono::microseconds{spin_us};
    }
    if (const char* text = std::getenv("RINGLET_WATCHDOG_MS")) {
        unsigned limit_ms = 0;
        if (std::from_chars(text, text + std::strlen(text), limit_ms).ec == std::errc{})
            options.watchdog = std::chrono::milliseconds{limit_ms};
    }
    return options;
}

}  // namespace

loop::loop(const loop_options& options) : loop{make_engine(options.ring), with_environment(options)} {}

loop::loop(chosen_engine engine, const loop_options& options)
    : options_{options}, engine_{std::move(engine.chosen)}, engine_reason_{std::move(engine.why)} {
    require(options_.batch_max > 0, "loop_options::batch_max is 0: no job could ever run");
    timers = &timers_;
}

loop::loop(std::unique_ptr<engine> engine, const loop_options& options)
    : loop{chosen_engine{std::move(engine), "the program gave it"}, options} {
    timers_.virtual_now = engine_->virtual_now();
    if (timers_.virtual_now) options_.spin = {};  // virtual time does not pass while one spins
}

loop::~loop() {
    require(in_flight_ == 0 || broken_, "a loop was destroyed with operations in flight");
    if (!broken_) return;
    static_cast<void>(buffers_.release());
    static_cast<void>(message_buffers_.release());
}

loop::running::running(loop& self) : outer{this_thread_scheduler} {
    require(self.owner_ == std::this_thread::get_id(), "a loop runs on the thread that made it");
    require(outer == nullptr, "a loop runs on this thread already: await instead of running a second one");
    this_thread_scheduler = &self;
    // In virtual time nobody waits for real, and what a simulation calls a descriptor is none.
    if (!detail::reports_may_be_asked || self.broken_ || self.timers_.virtual_now || sys::simulated) return;
    try {
        bell.emplace(self.mail().descriptor());
    } catch (const std::exception&) {  // it reports, but only when it wakes for another reason
    }
}
loop::running::~running() { this_thread_scheduler = outer; }

bool loop::stuck() const noexcept {
    if (!idle() || !timers_.empty()) return false;
    if (in_flight_ == 0 && mail_expected_ == 0) return true;
    return timers_.virtual_now && engine_->waits_for_ever();
}

[[gnu::always_inline]] inline void loop::reap() noexcept {
    engine& e = *engine_;
    unsigned head = *e.cq_head;
    reaping_ = &head;
    const io_uring_cqe* const cqes = e.cqes;
    const unsigned mask = e.cq_mask;
    const unsigned tail = std::atomic_ref{*e.cq_tail}.load(std::memory_order_acquire);
    counted_.completions += tail - head;
    while (head != tail) {
        const io_uring_cqe& cqe = cqes[head & mask];
        __builtin_prefetch(reinterpret_cast<const void*>(cqes[(head + 3) & mask].user_data));
        const std::uint64_t user_data = cqe.user_data;
        const std::int32_t res = cqe.res;
        const std::uint32_t flags = cqe.flags;
        ++head;
        if ((user_data & detail::tag_mask) == detail::tag_job) {
            auto& job = *reinterpret_cast<job_block*>(user_data);
            job.res = res;
            job.cqe_flags = flags;
            --in_flight_;
            make_ready(job);
        } else if ((user_data & detail::tag_mask) == detail::tag_completion) {
            auto& target = *reinterpret_cast<completion*>(user_data & ~detail::tag_mask);
            target.on_cqe(target, res, flags);
        }
    }
    std::atomic_ref{*e.cq_head}.store(head, std::memory_order_release);
    reaping_ = nullptr;
}

[[gnu::always_inline]] inline void loop::enter(unsigned wanted, deadline until) {
    ++counted_.enters;
    counted_.submissions += engine_->sq_tail - sqes_counted_;
    sqes_counted_ = engine_->sq_tail;
    engine_->enter(wanted, until);
}

[[gnu::always_inline]] inline void loop::wait(deadline until) {
    engine& e = *engine_;
    if (options_.spin.count() > 0) [[unlikely]] {
        if (e.sq_head != e.sq_tail) enter(0, no_deadline);
        const deadline end = std::min(until, deadline_after(options_.spin));
        while (!e.look()) {
            if (clock::now() >= end) {
                enter(1, until);
                return;
            }
            __builtin_ia32_pause();
        }
        if (*e.cq_head == *e.cq_tail) enter(0, no_deadline);
        return;
    }
    enter(1, until);
}

[[gnu::always_inline]] inline void loop::turn(auto&& finished) {
    engine& e = *engine_;
    // Everything that is ready now, and what becomes ready meanwhile as long as nothing else wants attention.
    const bool alone = in_flight_ == 0 && mail_expected_ == 0 && timers_.empty();
    const std::size_t ready = ready_count();
    counted_.ready_max = std::max(counted_.ready_max, ready);
    const bool measured = measures_runs_;
    const deadline begin = measured ? clock::now() : deadline{};
    run_jobs(alone ? options_.batch_max : std::min(options_.batch_max, std::max(ready, resumptions_between_looks)));
    if (measured) [[unlikely]]
        longest_turn_ = std::max<std::chrono::nanoseconds>(longest_turn_, clock::now() - begin);
    if (!timers_.empty()) {
        const deadline now = clock::now();
        note_time(now);
        const bool was_absent = now - looks_until_ > absence && !timers_.virtual_now;
        timers_.fire_due(now, *this, was_absent ? absence : std::chrono::milliseconds{0});
        looks_until_ = now;
    } else {
        looks_until_ = no_deadline;
        if (counted_.turns >= read_clock_at_turn_) [[unlikely]]
            read_clock();
    }
    ++counted_.turns;
    if (is_asked_for_report()) [[unlikely]]
        answer_report();
    if (idle()) {
        // What is left may sleep long, and is to be told to end.
        if (finished()) return;
        if (stuck()) {
            // What stands in the queue is nobody's wait (the mailbox listens again), so there is nothing to sleep for.
            if (e.sq_head != e.sq_tail) enter(0, no_deadline);
            reap();
            return;
        }
        looks_until_ = timers_.empty() ? no_deadline : timers_.next();
        wait(std::min(report_left_at_, looks_until_));
    } else {
        if (e.sq_head == e.sq_tail && !e.completions_waiting()) return;
        enter(0, no_deadline);
    }
    reap();
}

// Several that came before the first was seen are answered by one.
void loop::answer_report() {
    reports_answered_ = detail::reports_asked;
    note_time(clock::now());
    print_tasks();
}

[[gnu::always_inline]] inline void loop::note_time(deadline now) noexcept {
    now_ms = static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::milliseconds{1});
}

void loop::read_clock() noexcept {
    const deadline now = clock::now();
    turns_between_clocks_ =
        now - clock_read_at_ > calm ? 1 : std::min(2 * turns_between_clocks_, turns_between_clocks_max);
    read_clock_at_turn_ = counted_.turns + turns_between_clocks_;
    clock_read_at_ = now;
    note_time(now);
}

[[gnu::always_inline]] inline void loop::run_jobs(std::size_t resumptions_max) {
    if (options_.watchdog.count() == 0) [[likely]]
        run_ready(resumptions_max);
    else
        run_watched(resumptions_max);
}

void loop::run_watched(std::size_t resumptions_max) {
    deadline begin = clock::now();
    for (std::size_t i = 0; i < resumptions_max && !idle(); ++i) {
        const job_block& job = next_ready();  // gone, perhaps, when it has run
        const std::string name = job.name ? *job.name : "a job";
        const std::source_location from =
            job.has(job_block::started) ? ringlet::detail::await_site(job.resume_point) : std::source_location{};
        run_ready(1);
        const deadline end = clock::now();
        const auto took = end - begin;
        begin = end;
        counted_.longest_run = std::max(counted_.longest_run, took);
        if (took < options_.watchdog || end < next_warning_) continue;
        next_warning_ = end + std::chrono::seconds{1};
        const std::string since =
            from.line() != 0 ? fmt::format("after {}:{}", from.file_name(), from.line()) : "from its start on";
        std::fprintf(stderr, "ringlet: %s ran for %lld ms without awaiting, %s\n", name.c_str(),
                     static_cast<long long>(took / std::chrono::milliseconds{1}), since.c_str());
    }
}

loop_statistics loop::statistics() const noexcept {
    loop_statistics now = counted_;
    now.ready = ready_count();
    now.in_flight = in_flight_;
    now.calls = sys::calls - calls_before_;
    if (options_.watchdog.count() == 0) now.longest_run = longest_turn_;
    measures_runs_ = true;
    return now;
}

void loop::run_main_job(job_block& main) {
    require(!broken_, "a loop whose engine has failed cannot run again: make a new one");
    std::string deadlock;
    try {
        run_to_the_end(main, deadlock);
    } catch (...) {
        // The engine failed, so requests may be in flight for ever: their frames must leak.
        broken_ = true;
        root().abandon();
        throw;
    }
    main.set(job_block::joined);
    const std::exception_ptr left = root().take_failure();
    root().reset();
    const bool main_failed = main.failure && !is_cancelled(main.failure);
    if (main_failed && left && left != main.failure)
        std::fprintf(stderr, "ringlet: another job failed as well: %s\n", ringlet::detail::describe(left).c_str());
    if (main_failed) std::rethrow_exception(main.failure);
    if (left) std::rethrow_exception(left);
    if (!deadlock.empty()) throw deadlock_error{deadlock};
    if (main.failure) std::rethrow_exception(main.failure);
}

void loop::run_to_the_end(job_block& main, std::string& deadlock) {
    note_time(clock::now());
    run_until([&] { return main.has(job_block::done); }, deadlock);
    // What is left belongs to nobody any more: cancel it and wait. Requests without a job, too: their owners may outlive
    // the run.
    root().cancel_all();
    report_left_at_ = deadline_after(patience_at_end);
    run_until([&] { return root().empty(); }, deadlock);
    stop_standing();
    run_until([&] { return in_flight_ == 0; }, deadlock);
    report_left_at_ = no_deadline;
}

void loop::run_until(auto&& finished, std::string& deadlock) {
    while (!finished()) {
        if (stuck()) {
            require(deadlock.empty() && !root().cancelling(),
                    "something waits for what can never come, even when cancelled:\n" + describe_left());
            const std::string_view rest =
                in_flight_ == 0 ? "no operation is in flight" : "what is in flight can never end";
            deadlock = fmt::format("deadlock: nothing is ready, no timer is armed and {}, but there are\n{}", rest,
                                   describe_jobs());
            root().cancel_all();
            continue;
        }
        turn(finished);
        if (report_left_at_ != no_deadline && clock::now() >= report_left_at_) {
            report_left_at_ = no_deadline;
            std::fprintf(stderr, "ringlet: the run has ended, but these have not for %d s:\n%s",
                         static_cast<int>(patience_at_end.count()), describe_left().c_str());
        }
    }
}

std::string loop::describe_left() const {
    std::string out = describe_jobs();
    for (const auto* l = standing_.next; l != &standing_; l = l->next) {
        const listed& one = listed::from_link(const_cast<ringlet::detail::list_link&>(*l));
        if (one.type->describe) out += "  no job: waits for " + one.type->describe(one) + "\n";
    }
    return out;
}

void loop::stop_standing() noexcept {
    using ringlet::detail::list_link;
    // To tell one may take a full queue to the kernel and reap, which takes others out of the list, or this very one.
    list_link to_tell{&to_tell, &to_tell};
    while (standing_.next != &standing_) {
        list_link& l = *standing_.next;
        l.unlink();
        l.insert_before(to_tell);
    }
    while (to_tell.next != &to_tell) {
        list_link& l = *to_tell.next;
        l.unlink();
        l.insert_before(standing_);
        listed& what = listed::from_link(l);
        what.type->tell(what);
    }
}

void loop::make_sq_room() {
    // Completions may have to be taken before the kernel accepts more (EBUSY).
    while (engine_->sq_room() == 0) {
        enter(0, no_deadline);
        if (reaping_)
            std::atomic_ref{*engine_->cq_head}.store(*reaping_, std::memory_order_release);
        else
            reap();
    }
}

void loop::cancel_request(std::uint64_t user_data) {
    io_uring_sqe& sqe = next_sqe();
    io_uring_prep_cancel64(&sqe, user_data, 0);
    sqe.flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe.user_data = detail::tag_ignored;
}

buffer_ring& loop::buffers() {
    if (!buffers_)
        buffers_ = std::make_unique<buffer_ring>(*engine_, std::uint16_t{0}, options_.buffers, options_.buffer_bytes,
                                                 options_.buffers_max);
    return *buffers_;
}

buffer_ring& loop::message_buffers() {
    if (!message_buffers_)
        message_buffers_ = std::make_unique<buffer_ring>(*engine_, std::uint16_t{1}, options_.message_buffers,
                                                         options_.message_buffer_bytes, options_.message_buffers_max);
    return *message_buffers_;
}

std::size_t loop::leased_buffers() const noexcept {
    return (buffers_ ? buffers_->leased() : 0) + (message_buffers_ ? message_buffers_->leased() : 0);
}

thread_pool& loop::threads() {
    if (!threads_) threads_ = engine_->make_threads();
    return *threads_;
}

mailbox& loop::mail() {
    if (!mailbox_) mailbox_ = std::make_unique<mailbox>(*this);
    return *mailbox_;
}

}  // namespace ringlet::io
