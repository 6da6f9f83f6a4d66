// SPDX-License-Identifier: MIT
#include <ringlet/core/error.hpp>
#include <ringlet/io/quiet_thread.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/thread.hpp>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace ringlet::os::detail {

thread_state::~thread_state() {
    join();
    if (failure_ && !ringlet::detail::is_cancelled(failure_))
        std::fprintf(stderr, "ringlet: a thread failed, and nobody joined it: %s\n",
                     ringlet::detail::describe(failure_).c_str());
}

void thread_state::start() {
    if (io::sys::simulated) throw std::system_error{ENOSYS, std::generic_category(), "a thread in the simulation"};
    thread_ = io::quiet_thread([this] { run(); });
}

void thread_state::run() noexcept {
    std::exception_ptr failure;
    try {
        call();
    } catch (...) {
        failure = std::current_exception();
    }
    thread_end* waiter = nullptr;
    {
        const std::lock_guard hold{lock_};
        failure_ = std::move(failure);
        ended_ = true;
        waiter = std::exchange(waiter_, nullptr);
    }
    // Who waits joins this thread before it goes on, so its loop and mailbox are there for all of this call.
    if (waiter) waiter->box_->post(waiter->reply_);
}

void thread_state::join() noexcept {
    if (thread_.joinable()) thread_.join();
}

bool thread_state::ended() const noexcept {
    const std::lock_guard hold{lock_};
    return ended_;
}

const ringlet::detail::wait_kind thread_end::kind{.name = name, .cancel = &cancel, .describe = nullptr};

bool thread_end::start(ringlet::detail::job_block& job) {
    job_ = &job;
    home_ = &io::loop::current();
    box_ = &home_->mail();
    const std::lock_guard hold{of_->lock_};
    ringlet::detail::require(of_->waiter_ == nullptr, "two jobs join a thread: one at a time");
    if (of_->ended_) return ringlet::detail::suspend_once(job);
    of_->waiter_ = this;
    home_->expect_mail();
    job.wait_object = this;
    job.waiting = &kind;
    return true;
}

// Its last steps only are to come: nothing that waits.
result<void> thread_end::outcome(ringlet::detail::job_block&) const noexcept {
    of_->join();
    return {};
}

void thread_end::reply::deliver_it(io::letter& l) noexcept {
    thread_end& wait = *static_cast<reply&>(l).self;
    wait.home_->mail_arrived();
    wait.home_->make_ready(*wait.job_);
}

void thread_end::cancel(ringlet::detail::job_block& job) noexcept {
    auto& self = *static_cast<thread_end*>(job.wait_object);
    {
        const std::lock_guard hold{self.of_->lock_};
        if (self.of_->waiter_ != &self) return;  // the letter is on its way
        self.of_->waiter_ = nullptr;
    }
    self.home_->mail_arrived();
    job.res = ringlet::detail::wait_cancelled;
    self.home_->make_ready(job);
}

}  // namespace ringlet::os::detail
