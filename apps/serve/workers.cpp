// SPDX-License-Identifier: MIT
#include "serve/workers.hpp"

#include <ringlet/core/combinators.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/pipe.hpp>
#include <ringlet/os/process.hpp>
#include <ringlet/os/ready.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/os/standard_input.hpp>
#include <ringlet/time/clock.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace serve {
namespace {

// A worker that dies sooner than this is not replaced at once: it may die of the same again.
constexpr std::chrono::seconds short_life{1};

// More than the longest line of a log.
constexpr std::size_t line_bytes_max = std::size_t{1} << 20;

struct pipe_ends {
    ringlet::io::owned_fd from;
    ringlet::io::owned_fd into;
};

pipe_ends make_pipe() {
    std::array<int, 2> fds{};
    if (ringlet::io::sys::pipe2(fds.data(), O_CLOEXEC) != 0)
        throw std::system_error{errno, std::generic_category(), "pipe2"};
    return {ringlet::io::owned_fd{fds[0]}, ringlet::io::owned_fd{fds[1]}};
}

// Blocked from before the first fork on, so that no worker meets one before it ignores it; the second one is let through.
class held_signals {
public:
    held_signals() noexcept { set(SIG_BLOCK); }
    held_signals(const held_signals&) = delete;
    held_signals& operator=(const held_signals&) = delete;
    ~held_signals() { let_through(); }
    void let_through() noexcept { set(SIG_UNBLOCK); }

private:
    static void set(int how) noexcept {
        sigset_t both;
        sigemptyset(&both);
        sigaddset(&both, SIGINT);
        sigaddset(&both, SIGTERM);
        pthread_sigmask(how, &both, nullptr);
    }
};

struct crew {
    std::vector<ringlet::net::tcp_listener> listeners;
    worker_body& body;
    content& served;
    shared_totals& counted;
    reporter& report;
    ringlet::io::owned_fd orders;       // its end is the order to end
    ringlet::os::pipe_writer ordering;  // of this process only
    held_signals signals = {};
    bool ending = false;
};

ringlet::task<> told_to_end(const crew& all) { co_await ringlet::os::readable(all.orders); }

// In the child: the listeners of the others are theirs, and signals that are sent to all are for the parent.
ringlet::task<> work(crew& all, std::size_t which, int log) {
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGTERM, SIG_IGN);
    if (::dup2(log, STDOUT_FILENO) < 0) throw std::system_error{errno, std::generic_category(), "dup2"};
    for (std::size_t other = 0; other < all.listeners.size(); ++other)
        if (other != which) all.listeners[other].close();
    co_await all.body(all.listeners[which], all.served, all.counted.of(which), told_to_end(all));
}

ringlet::task<> copy_lines(const ringlet::os::pipe_reader& from, apps::printer& into) {
    ringlet::line_reader lines{ringlet::os::input{from.descriptor()}, line_bytes_max};
    while (const std::optional<std::string> line = co_await lines.next()) into.line(*line);
}

std::string what_ended(int code) {
    return code < 0 ? fmt::format("was ended by signal {}", -code) : fmt::format("ended with status {}", code);
}

// One process, from its start to its end.
ringlet::task<> run_one(crew& all, std::size_t which) {
    pipe_ends log = make_pipe();
    const ringlet::os::pipe_reader lines{std::move(log.from)};
    auto worker = ringlet::os::process::start(&work, std::ref(all), which, log.into.get());
    log.into.reset();
    co_await copy_lines(lines, all.report.printers().out());
    const int code = co_await worker.join();
    if (!all.ending) all.report.say(fmt::format("worker {} {}; starting another", worker.pid(), what_ended(code)));
}

// A shortage of processes or descriptors passes.
ringlet::task<> keep_one_running(crew& all, std::size_t which) {
    while (!all.ending) {
        const ringlet::deadline begin = ringlet::clock::now();
        try {
            co_await run_one(all, which);
        } catch (const std::system_error& error) {
            all.report.say(fmt::format("cannot start a worker: {}; trying again", error.what()));
        }
        if (!all.ending && ringlet::clock::now() - begin < short_life) co_await ringlet::sleep(short_life);
    }
}

ringlet::task<> end_at_signal(crew& all) {
    co_await ringlet::until_signal(SIGINT, SIGTERM);
    all.signals.let_through();
    all.report.say(drain_notice);
    all.ending = true;
    for (auto& listener : all.listeners) listener.close();
    all.ordering.close();
}

ringlet::task<> keep_all_running(ringlet::task_group& group, crew& all) {
    group.spawn(end_at_signal, std::ref(all));
    co_await ringlet::yield();  // it waits: once the address is printed, Ctrl-C drains
    all.report.listens(all.listeners.front().local_endpoint());
    for (std::size_t which = 0; which < all.listeners.size(); ++which)
        group.spawn(keep_one_running, std::ref(all), which);
}

}  // namespace

shared_totals::shared_totals(std::size_t workers) : workers_{workers} {
    void* const memory =
        ::mmap(nullptr, workers * sizeof(totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error{errno, std::generic_category(), "mmap"};
    each_ = static_cast<totals*>(memory);
    std::uninitialized_value_construct_n(each_, workers);
}

shared_totals::~shared_totals() { ::munmap(each_, workers_ * sizeof(totals)); }

totals shared_totals::sum() const noexcept {
    totals all;
    for (std::size_t worker = 0; worker < workers_; ++worker) {
        all.connections += each_[worker].connections;
        all.requests += each_[worker].requests;
        all.body_bytes += each_[worker].body_bytes;
    }
    return all;
}

ringlet::task<> run_workers(std::vector<ringlet::net::tcp_listener> listeners, worker_body& body, content& served,
                            shared_totals& counted, reporter& report) {
    pipe_ends orders = make_pipe();
    crew all{std::move(listeners),
             body,
             served,
             counted,
             report,
             std::move(orders.from),
             ringlet::os::pipe_writer{std::move(orders.into)}};
    co_await ringlet::with_task_group(keep_all_running, std::ref(all));
}

}  // namespace serve
