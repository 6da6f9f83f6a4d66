// SPDX-License-Identifier: MIT
#include "common/printer.hpp"

#include "catch.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/os/offload.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

using apps::printer;
using ringlet::task;
using ringlet::io::fd_ref;
using ringlet::io::owned_fd;

namespace {

struct pipe_ends {
    owned_fd reader;
    owned_fd writer;
};

pipe_ends open_pipe() {
    std::array<int, 2> fds{};
    REQUIRE(::pipe2(fds.data(), O_CLOEXEC) == 0);
    return {owned_fd{fds[0]}, owned_fd{fds[1]}};
}

// All that comes until the writing end is closed.
std::string read_all(int fd) {
    std::string all;
    std::array<char, 65536> part;
    for (ssize_t n = 0; (n = ::read(fd, part.data(), part.size())) > 0;)
        all.append(part.data(), static_cast<size_t>(n));
    return all;
}

task<> read_into(std::string& all, int fd) { all = co_await ringlet::offload(&read_all, fd); }

const std::string long_line(999, 'x');

task<> say_things(fd_ref to) {
    printer p{to};
    p.line("one");
    p.say("{} {}", "two", 2);
    CHECK_FALSE(p.idle());
    co_await p.finish();
    CHECK(p.idle());
    p.put("as it is");
    co_await p.finish();
}

task<> say_a_hundred_digits(fd_ref to) {
    printer p{to};
    for (int i = 0; i < 100; ++i) p.say("{}", i % 10);
    co_await p.finish();
}

task<> say_too_much_and_then_read(pipe_ends& pipe, std::string& all) {
    printer p{pipe.writer};
    for (int i = 0; i < 3000; ++i) {
        p.line(long_line);
        co_await ringlet::yield();
    }
    auto reading = ringlet::spawn(read_into, std::ref(all), pipe.reader.get());
    co_await p.finish();
    pipe.writer.reset();
    co_await reading.join();
}

task<> wait_for_room_each_time(pipe_ends& pipe, std::string& all) {
    printer p{pipe.writer};
    auto reading = ringlet::spawn(read_into, std::ref(all), pipe.reader.get());
    for (int i = 0; i < 3000; ++i) {
        co_await p.room();
        p.line(long_line);
    }
    co_await p.finish();
    pipe.writer.reset();
    co_await reading.join();
}

task<> leave_a_stalled_reader(fd_ref to) {
    printer p{to};
    for (int i = 0; i < 1000; ++i) p.line(long_line);
    const auto waited = co_await ringlet::as_result(ringlet::with_timeout(std::chrono::milliseconds{1}, p.finish()));
    CHECK(waited.error() == std::errc::timed_out);
}

struct terminal {
    owned_fd window;  // what stands on it
    owned_fd program;
};

terminal open_terminal() {
    terminal opened{owned_fd{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)}, {}};
    REQUIRE(::grantpt(opened.window.get()) == 0);
    REQUIRE(::unlockpt(opened.window.get()) == 0);
    opened.program = owned_fd{::open(::ptsname(opened.window.get()), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    REQUIRE(opened.program);
    return opened;
}

task<> say_more_than_a_terminal_takes(terminal& where, std::size_t& lines) {
    printer p{where.program};
    for (int i = 0; i < 200; ++i) p.line(long_line);
    const auto waited = co_await ringlet::as_result(ringlet::with_timeout(std::chrono::milliseconds{1}, p.finish()));
    CHECK(waited.error() == std::errc::timed_out);  // it is we who wait, not the loop
    auto finished = ringlet::spawn(&printer::finish, &p);
    std::array<char, 4096> part;
    while (lines < 200) {
        const ssize_t n = ::read(where.window.get(), part.data(), part.size());
        if (n > 0) lines += static_cast<std::size_t>(std::count(part.data(), part.data() + n, '\n'));
        co_await ringlet::yield();
    }
    co_await finished.join();
}

// Counts what is drawn, and whether all of it is wiped.
class counted_bottom final : public apps::bottom_line {
public:
    std::string wipe() override { return std::exchange(drawn_, false) ? "[wipe]" : ""; }
    std::string draw() override {
        drawn_ = true;
        return "[" + std::to_string(++count_) + "]";
    }

private:
    bool drawn_ = false;
    int count_ = 0;
};

task<> keep_something_below(fd_ref to) {
    printer p{to};
    counted_bottom below;
    p.line("before");
    p.keep_below(&below);
    co_await p.finish();
    p.line("one");
    p.line("two");
    co_await p.finish();
    p.redraw();
    p.redraw();
    co_await p.finish();
    p.line("last");
    p.keep_below(nullptr);
    p.redraw();
    p.line("after");
    co_await p.finish();
}

task<> say_to_a_full_disk(fd_ref to) {
    printer p{to};
    CHECK_FALSE(p.error());
    for (int i = 0; i < 3; ++i) {
        p.line("lost");
        co_await p.finish();
        CHECK(p.error() == std::errc::no_space_on_device);
    }
    co_await p.until_broken();
}

task<> fail_after_last_words(fd_ref to) {
    printer p{to};
    p.line("last words");
    throw std::runtime_error{"it broke"};
    co_return;
}

}  // namespace

TEST_CASE("a terminal that takes nothing does not hold up the loop", "[printer]") {
    terminal where = open_terminal();
    std::size_t lines = 0;
    ringlet::run(say_more_than_a_terminal_takes, std::ref(where), std::ref(lines));
    CHECK(lines == 200);
    CHECK((::fcntl(where.program.get(), F_GETFL) & O_NONBLOCK) == 0);  // others have it, too
}

TEST_CASE("what stands below all lines is wiped before them and drawn once after them", "[printer]") {
    pipe_ends pipe = open_pipe();
    ringlet::run(keep_something_below, fd_ref{pipe.writer});
    pipe.writer.reset();
    CHECK(read_all(pipe.reader.get()) == "before\n[1][wipe]one\ntwo\n[2][3][wipe]last\nafter\n");
}

TEST_CASE("what is said comes in order, line by line", "[printer]") {
    pipe_ends pipe = open_pipe();
    ringlet::run(say_things, fd_ref{pipe.writer});
    pipe.writer.reset();
    CHECK(read_all(pipe.reader.get()) == "one\ntwo 2\nas it is");
}

TEST_CASE("what has gathered is written in one request", "[printer]") {
    std::array<int, 2> fds{};
    REQUIRE(::pipe2(fds.data(), O_CLOEXEC | O_DIRECT) == 0);  // keeps writes apart
    const owned_fd reader{fds[0]};
    const owned_fd writer{fds[1]};
    ringlet::run(say_a_hundred_digits, fd_ref{writer});
    std::array<char, 4096> packet;
    CHECK(::read(reader.get(), packet.data(), packet.size()) == 200);
}

TEST_CASE("a reader that stalls holds up nobody and is told what is missing", "[printer]") {
    pipe_ends pipe = open_pipe();
    std::string all;
    ringlet::run(say_too_much_and_then_read, std::ref(pipe), std::ref(all));
    const std::size_t whole = all.rfind("x\n") / (long_line.size() + 1) + 1;
    CHECK(whole >= 1000);
    CHECK(whole < 3000);
    CHECK(all.substr(whole * (long_line.size() + 1)) == fmt::format("{}: {} lines are missing here: nobody took them\n",
                                                                    program_invocation_short_name, 3000 - whole));
}

TEST_CASE("who may lose nothing waits for room", "[printer]") {
    pipe_ends pipe = open_pipe();
    std::string all;
    ringlet::run(wait_for_room_each_time, std::ref(pipe), std::ref(all));
    CHECK(all.size() == 3'000'000);
}

TEST_CASE("a reader that stalls can be left", "[printer]") {
    const pipe_ends pipe = open_pipe();
    ringlet::run(leave_a_stalled_reader, fd_ref{pipe.writer});
}

TEST_CASE("what cannot be written is no reason to end", "[printer]") {
    const owned_fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    ringlet::run(say_to_a_full_disk, fd_ref{full});
}

TEST_CASE("what was said right before a failure is seen", "[printer]") {
    pipe_ends pipe = open_pipe();
    CHECK_THROWS_WITH(ringlet::run(fail_after_last_words, fd_ref{pipe.writer}), "it broke");
    pipe.writer.reset();
    CHECK(read_all(pipe.reader.get()) == "last words\n");
}
