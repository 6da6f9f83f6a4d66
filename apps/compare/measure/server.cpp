// SPDX-License-Identifier: MIT
#include "compare/measure/server.hpp"

#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/bytes.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace comparison {
namespace {

namespace net = ringlet::net;
using namespace std::chrono_literals;

constexpr nanoseconds starts_within = 10s;
constexpr nanoseconds ends_within = 2s;
constexpr std::size_t said_bytes_max = std::size_t{16} * 1024;

processors divided;

void keep_to(int processor) noexcept {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(processor), &one);
    ::sched_setaffinity(0, sizeof one, &one);
}

nanoseconds to_nanoseconds(const timeval& time) noexcept {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
}

// In the child.
int become(const server_command& command, int says) {
    if (divided.are_apart()) keep_to(divided.server);
    if (::dup2(says, STDOUT_FILENO) < 0 || ::dup2(says, STDERR_FILENO) < 0) return 1;
    std::vector<char*> words;
    for (const std::string& each : command.words) words.push_back(const_cast<char*>(each.c_str()));
    words.push_back(nullptr);
    ::execvp(words.front(), words.data());
    std::perror(words.front());
    return 127;
}

std::pair<ringlet::os::pipe_reader, ringlet::io::owned_fd> make_pipe() {
    std::array<int, 2> ends{};
    if (ringlet::io::sys::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw std::system_error{errno, std::generic_category(), "pipe2"};
    return {ringlet::os::pipe_reader{ringlet::io::owned_fd{ends[0]}}, ringlet::io::owned_fd{ends[1]}};
}

std::optional<net::endpoint> address_in(std::string_view line) {
    const std::size_t begin = line.find("http://");
    if (begin == line.npos) return std::nullopt;
    const std::string_view rest = line.substr(begin + 7);
    return net::endpoint::try_parse(rest.substr(0, rest.find('/')));
}

// Takes "Serving at http://127.0.0.1:8000/, ...", and what stands before it, out of what was said when that line is whole.
// What one read brings after it stays: the end may be near.
std::optional<net::endpoint> take_address(std::string& said) {
    for (std::size_t begin = 0, end = 0; (end = said.find('\n', begin)) != said.npos; begin = end + 1) {
        const auto address = address_in(std::string_view{said}.substr(begin, end - begin));
        if (!address) continue;
        said.erase(0, end + 1);
        return address;
    }
    return std::nullopt;
}

ringlet::task<net::endpoint> read_address(ringlet::os::pipe_reader& from, std::string& said) {
    std::array<std::byte, 512> block;
    for (;;) {
        const std::size_t got = co_await from.read(block);
        if (got == 0)
            throw std::runtime_error{fmt::format("it does not start: {}", said.empty() ? "it says nothing" : said)};
        said += ringlet::as_text(std::span{block}.first(got));
        if (const auto address = take_address(said)) co_return *address;
    }
}

// Of one that has ended. What it started may still hold the pipe, and say more.
ringlet::task<> read_last_words(ringlet::os::pipe_reader& from, std::string& said) {
    std::array<std::byte, 512> block;
    while (said.size() < said_bytes_max) {
        const auto got = co_await ringlet::move_on_after(100ms, from.read(block));
        if (!got || *got == 0) break;
        said += ringlet::as_text(std::span{block}.first(*got));
    }
}

ringlet::task<> until_it_listens(net::endpoint address) {
    for (;;) {
        const auto tried = co_await ringlet::as_result(net::tcp_stream::connect(address));
        if (tried) co_return;
        co_await ringlet::sleep(5ms);
    }
}

// What a server has left behind is ours now (adopt_orphans).
ringlet::task<> reap_orphans() {
    for (pid_t found = 0; (found = ::waitpid(-1, nullptr, WNOHANG)) >= 0 || errno == EINTR;) {
        if (found != 0) continue;
        std::ifstream left{"/proc/thread-self/children"};
        for (pid_t each = 0; left >> each;) ::kill(each, SIGKILL);
        co_await ringlet::sleep(1ms);
    }
}

// The part that is left of a time when the same share of it goes as of the whole.
nanoseconds left_of(nanoseconds part, nanoseconds whole, nanoseconds gone) noexcept {
    if (whole <= gone) return {};
    const double share = std::chrono::duration<double>(whole - gone) / std::chrono::duration<double>(whole);
    return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double, std::nano>(part) * share);
}

}  // namespace

usage server::used_by_children() noexcept {
    rusage all{};
    ::getrusage(RUSAGE_CHILDREN, &all);
    return {to_nanoseconds(all.ru_utime), to_nanoseconds(all.ru_stime), static_cast<std::uint64_t>(all.ru_nvcsw),
            static_cast<std::uint64_t>(all.ru_nivcsw)};
}

// The kernel says it of another process to the nanosecond, but not how much of it was its own.
server::beginning server::used_so_far(pid_t process) {
    beginning found;
    clockid_t its_time{};
    timespec time{};
    if (::clock_getcpuclockid(process, &its_time) == 0 && ::clock_gettime(its_time, &time) == 0)
        found.cpu = std::chrono::seconds{time.tv_sec} + nanoseconds{time.tv_nsec};
    const std::string status = fmt::format("/proc/{}/status", process);
    found.switches_voluntary = number_in(status, "voluntary_ctxt_switches:");
    found.switches_forced = number_in(status, "nonvoluntary_ctxt_switches:");
    return found;
}

ringlet::task<server> server::start(const server_command& command) {
    auto [reads, writes] = make_pipe();
    server made{ringlet::os::process::start(become, std::cref(command), writes.get())};
    writes.reset();
    made.says_ = std::move(reads);
    if (command.address) {
        made.address_ = *command.address;
        co_await ringlet::with_timeout(starts_within, until_it_listens(made.address_));
    } else {
        made.address_ = co_await ringlet::with_timeout(starts_within, read_address(made.says_, made.said_));
    }
    made.beginning_ = used_so_far(made.pid());
    co_return made;
}

ringlet::task<usage> server::stop() {
    if (!process_.running()) {
        co_await read_last_words(says_, said_);
        while (said_.ends_with('\n')) said_.pop_back();
        throw std::runtime_error{fmt::format("it ended by itself: {}", said_.empty() ? "it said nothing" : said_)};
    }
    process_.terminate();
    const auto ended = co_await ringlet::move_on_after(ends_within, process_.join());
    if (!ended) {
        process_.kill();
        (void)co_await process_.join();
    }
    co_await ringlet::with_timeout(ends_within, reap_orphans());
    const usage after = used_by_children();
    const nanoseconds user = after.user - before_.user;
    const nanoseconds system = after.system - before_.system;
    usage used;
    used.user = left_of(user, user + system, beginning_.cpu);
    used.system = left_of(system, user + system, beginning_.cpu);
    used.switches_voluntary = after.switches_voluntary - before_.switches_voluntary - beginning_.switches_voluntary;
    used.switches_forced = after.switches_forced - before_.switches_forced - beginning_.switches_forced;
    co_return used;
}

void adopt_orphans() noexcept { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

void divide_processors() noexcept {
    cpu_set_t ours;
    CPU_ZERO(&ours);
    ::sched_getaffinity(0, sizeof ours, &ours);
    std::vector<int> all;
    for (int i = 0; i < CPU_SETSIZE; ++i)
        if (CPU_ISSET(static_cast<std::size_t>(i), &ours)) all.push_back(i);
    if (all.empty()) return;
    divided = {all.front(), all.size() > 1 ? all[1] : all.front()};
    if (divided.are_apart()) keep_to(divided.load);
}

processors processors_of_run() noexcept { return divided; }

}  // namespace comparison
