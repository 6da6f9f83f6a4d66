// SPDX-License-Identifier: MIT
#include "printer.hpp"

#include "system_error.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/io/op/write.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/os/ready.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <climits>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <span>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace apps {
namespace {

namespace sys = ringlet::io::sys;

constexpr std::size_t pending_bytes_max = std::size_t{1} << 20;
constexpr std::chrono::seconds patience{10};  // with a reader that stalls, at the end

// No thread or no memory for a request, which io_uring calls a cancellation: nothing is wrong with where it was to go.
bool is_nobodys_fault(const std::error_code& error) noexcept {
    return error == std::errc::operation_canceled || is_shortage(error);
}

bool lead_to_the_same_place(int one, int other) noexcept {
    struct stat a{};
    struct stat b{};
    return sys::fstat(one, &a) == 0 && sys::fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// A terminal that takes nothing (Ctrl-S, a window that hangs) would hold up the request for a write, and with it the
// loop, unless it is O_NONBLOCK; that flag is shared with everybody who has the terminal from the same shell, so it is
// opened once more. Nothing when it is no terminal, or not ours to open.
ringlet::io::owned_fd open_terminal_anew(ringlet::io::fd_ref to) {
    if (!sys::isatty(to.get())) return {};
    const std::string path = fmt::format("/proc/self/fd/{}", to.get());
    return ringlet::io::owned_fd{sys::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
}

}  // namespace

struct printer::queue {
    ringlet::io::owned_fd own;
    ringlet::io::fd_ref to;
    std::string pending;
    std::string writing;
    std::size_t dropped = 0;  // after what is pending
    bool busy = false;        // a job writes
    bottom_line* below = nullptr;
    bool redraw = false;
    std::error_code error;
    ringlet::net::drain broken;                  // as an event: begins with error
    std::shared_ptr<ringlet::net::drain> ended;  // as an event, when somebody waits for the job's end

    explicit queue(ringlet::io::fd_ref fd) : own{open_terminal_anew(fd)}, to{own ? ringlet::io::fd_ref{own} : fd} {}

    void tell_dropped() {
        if (dropped == 0) return;
        pending +=
            fmt::format("{}: {} lines are missing here: nobody took them\n", program_invocation_short_name, dropped);
        dropped = 0;
    }
    bool take() noexcept {
        writing.clear();
        try {
            if (pending.empty()) tell_dropped();
            if (below && (redraw || !pending.empty())) surround_pending();
        } catch (const std::bad_alloc&) {  // another time
        }
        redraw = false;
        writing.swap(pending);  // both keep their memory
        return !writing.empty();
    }
    void surround_pending() {
        // The wipe before the drawing: each depends on what was drawn last.
        std::string all = pending.empty() ? std::string{} : below->wipe();
        all += pending;
        all += below->draw();
        pending.swap(all);
    }
    void leave_below() noexcept {
        try {
            pending.insert(0, below->wipe());
        } catch (const std::bad_alloc&) {  // it stays where it is
        }
        below = nullptr;
    }
    void fail(const std::error_code& why) noexcept {
        error = why;
        broken.begin();
    }
    void end() noexcept {
        writing.clear();
        busy = false;
        if (const auto told = std::exchange(ended, nullptr)) told->begin();
    }
    // Gives what was not taken. A pipe that poll calls writable takes PIPE_BUF bytes without waiting.
    std::span<const std::byte> write_at_once(std::span<const std::byte> rest) const noexcept {
        pollfd ready{to.get(), POLLOUT, 0};
        while (!rest.empty() && sys::poll(&ready, 1, 0) > 0) {
            const ssize_t n = sys::write(to.get(), rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
            if (n <= 0) break;
            rest = rest.subspan(static_cast<std::size_t>(n));
        }
        return rest;
    }
};

printer::printer(ringlet::io::fd_ref to) : queue_{std::make_shared<queue>(to)} {}

printer::~printer() {
    if (!queue_->writing.empty()) return;
    queue_->write_at_once(ringlet::as_bytes(queue_->pending));
    queue_->pending.clear();
}

bool printer::idle() const noexcept { return !queue_->busy; }
std::error_code printer::error() const noexcept { return queue_->error; }

void printer::keep_below(bottom_line* what) noexcept {
    queue& q = *queue_;
    if (q.below) q.leave_below();
    q.below = what;
    redraw();
}

void printer::redraw() noexcept {
    queue_->redraw = queue_->below != nullptr;
    if (!queue_->busy && (queue_->redraw || !queue_->pending.empty())) start_writing();
}

void printer::add(std::string_view text, std::string_view after) noexcept {
    queue& q = *queue_;
    const std::size_t bytes = text.size() + after.size();
    if (q.pending.size() + bytes > pending_bytes_max) {
        ++q.dropped;
        return;
    }
    try {
        q.tell_dropped();
        q.pending.reserve(q.pending.size() + bytes);
        q.pending.append(text).append(after);
    } catch (const std::bad_alloc&) {
        ++q.dropped;
    }
    if (!q.busy) start_writing();
}

void printer::start_writing() noexcept {
    queue_->busy = true;
    try {
        [[maybe_unused]] const ringlet::job<> dropped = ringlet::spawn(&printer::write_out, queue_);
    } catch (const std::bad_alloc&) {  // the next line tries again
        queue_->busy = false;
    }
}

ringlet::task<> printer::write_out(std::shared_ptr<queue> what) {
    struct ending {
        queue& of;
        ~ending() { of.end(); }
    };
    const ending at_end{*what};
    while (what->take()) {
        auto rest = ringlet::as_bytes(what->writing);
        while (!rest.empty()) {
            const auto written = co_await ringlet::as_result(ringlet::io::write_op{what->to, rest});
            if (written && *written > 0) {
                rest = rest.subspan(*written);
            } else if (written.error() == std::errc::resource_unavailable_try_again) {  // somebody's O_NONBLOCK
                [[maybe_unused]] const auto ready = co_await ringlet::as_result(ringlet::os::writable(what->to));
            } else if (written.error() != std::errc::interrupted) {  // a terminal, and a signal for somebody else
                // Files are written by threads, and where there can be none each request fails.
                if (!written && is_nobodys_fault(written.error())) rest = what->write_at_once(rest);
                if (rest.empty()) break;
                what->fail(written ? std::make_error_code(std::errc::io_error) : written.error());
                break;
            }
        }
    }
}

ringlet::task<> printer::room() {
    if (queue_->pending.size() < pending_bytes_max / 2)
        co_await ringlet::yield();
    else
        co_await finish();
}

ringlet::task<> printer::finish() {
    const std::shared_ptr<queue> q = queue_;
    co_await ringlet::yield();
    while (q->busy) {
        if (!q->ended) q->ended = std::make_shared<ringlet::net::drain>();
        const auto ended = q->ended;
        co_await ended->wait_begun();
    }
}

ringlet::task<> printer::until_broken() {
    const std::shared_ptr<queue> q = queue_;
    co_await q->broken.wait_begun();
}

standard_printers::standard_printers() : out_{ringlet::io::fd_ref{STDOUT_FILENO}} {
    if (!lead_to_the_same_place(STDOUT_FILENO, STDERR_FILENO)) err_.emplace(ringlet::io::fd_ref{STDERR_FILENO});
}

ringlet::task<> standard_printers::finish_both() {
    co_await out_.finish();
    if (err_) co_await err_->finish();
}

ringlet::task<> standard_printers::finish() {
    [[maybe_unused]] const auto lost = co_await ringlet::as_result(ringlet::with_timeout(patience, finish_both()));
}

}  // namespace apps
