// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/standard_input.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <cstdlib>
#include <limits>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

using namespace ringlet;
using namespace ringlet_tests;

namespace {

struct pipe_ends {
    pipe_ends() {
        std::array<int, 2> fds{};
        REQUIRE(::pipe2(fds.data(), O_CLOEXEC) == 0);
        out = io::owned_fd{fds[0]};
        in = io::owned_fd{fds[1]};
    }
    void put(std::string_view text) { REQUIRE(::write(in.get(), text.data(), text.size()) == std::ssize(text)); }
    io::owned_fd out;
    io::owned_fd in;
};

task<std::vector<std::string>> all_lines(int fd, std::size_t bytes_max) {
    line_reader reader{os::input{io::fd_ref{fd}}, bytes_max};
    std::vector<std::string> lines;
    for (;;) {
        const result<std::optional<std::string>> line = co_await as_result(reader.next());
        if (!line)
            lines.push_back("(" + line.error().message() + ")");
        else if (*line)
            lines.push_back(**line);
        else
            break;
    }
    const std::optional<std::string> after_end = co_await reader.next();
    CHECK_FALSE(after_end);
    co_return lines;
}

std::vector<std::string> lines_of(std::string_view text, std::size_t bytes_max = 100) {
    pipe_ends p;
    p.put(text);
    p.in.reset();
    return run(all_lines, p.out.get(), bytes_max);
}

using strings = std::vector<std::string>;

task<> typed_slowly() {
    pipe_ends p;
    line_reader reader{os::input{p.out}};
    auto next = [](line_reader& r) -> task<std::optional<std::string>> { co_return co_await r.next(); };
    p.put("he");
    auto waiting = spawn(next, std::ref(reader));
    co_await sleep(1ms);
    waiting.cancel();  // what has come stays
    co_await waiting.join();
    p.put("llo\nwor");
    const std::optional<std::string> first = co_await reader.next();
    CHECK(first == "hello");
    const auto late = co_await as_result(with_timeout(1ms, reader.next()));
    CHECK(late.error() == std::errc::timed_out);
    p.put("ld\n");
    auto early = spawn(next, std::ref(reader));
    early.cancel();
    co_await early.join();
    const std::optional<std::string> second = co_await reader.next();
    CHECK(second == "world");
    CHECK((::fcntl(p.out.get(), F_GETFL) & O_NONBLOCK) == 0);
}

task<std::string> read_everything(int fd) {
    std::string all;
    std::array<std::byte, 100> buffer;
    os::input in{io::fd_ref{fd}};
    while (const std::size_t n = co_await in.read(buffer)) all += as_text(std::span{buffer}.first(n));
    co_return all;
}

task<> terminal() {
    const io::owned_fd master{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    if (!master || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0) co_return;
    const io::owned_fd slave{::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    if (!slave) co_return;
    line_reader reader{os::input{slave}};
    CHECK(::write(master.get(), "typed\n\x04", 7) == 7);  // a line, then Ctrl-D
    const std::optional<std::string> line = co_await with_timeout(5s, reader.next());
    CHECK(line == "typed");
    const std::optional<std::string> end = co_await with_timeout(5s, reader.next());
    CHECK_FALSE(end);
}

}  // namespace

TEST_CASE("lines end with LF or CR LF, and the last may lack it", "[os][input]") {
    CHECK(lines_of("") == strings{});
    CHECK(lines_of("\n") == strings{""});
    CHECK(lines_of("one\ntwo\r\n\n\r\nthree\rfour\nlast") == strings{"one", "two", "", "", "three\rfour", "last"});
    CHECK(lines_of("last\r") == strings{"last"});
}

TEST_CASE("an over-long line is an error, and the next one is read", "[os][input]") {
    CHECK(lines_of("12345\n123456\n12\n", 5) == strings{"12345", "(Message too long)", "12"});
    CHECK(lines_of("12345\r\n123456\r\n", 5) == strings{"12345", "(Message too long)"});
    CHECK(lines_of("123456", 5) == strings{"(Message too long)"});
    CHECK(lines_of(std::string(20'000, 'x') + "\nnext\n", 5) == strings{"(Message too long)", "next"});
    CHECK(lines_of(std::string(20'000, 'x'), 5) == strings{"(Message too long)"});
    CHECK(lines_of(std::string(20'000, 'x'), 20'000) == strings{std::string(20'000, 'x')});
    constexpr auto no_limit = std::numeric_limits<std::size_t>::max();
    CHECK(lines_of(std::string(20'000, 'x') + "\nnext\n", no_limit) == strings{std::string(20'000, 'x'), "next"});
}

TEST_CASE("cancelled and timed out reads of lines lose no byte", "[os][input]") { run(typed_slowly); }

TEST_CASE("files and devices are read like pipes", "[os][input]") {
    const io::owned_fd null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    CHECK(run(read_everything, null.get()).empty());
    const io::owned_fd file{::open("/proc/self/status", O_RDONLY | O_CLOEXEC)};
    CHECK(contains(run(read_everything, file.get()), "Pid:"));
    const io::owned_fd folder{::open("/", O_RDONLY | O_CLOEXEC)};
    CHECK_THROWS_WITH(run(read_everything, folder.get()), "read /: Is a directory");
    CHECK_THROWS_WITH(run(read_everything, 1'000'000), "fd 1000000: Bad file descriptor");
}

TEST_CASE("a terminal is read by lines up to Ctrl-D", "[os][input]") { run(terminal); }

namespace {

void toggle_echo(int terminal) {
    termios mode{};
    REQUIRE(::tcgetattr(terminal, &mode) == 0);
    mode.c_lflag ^= ECHO | ICANON;
    REQUIRE(::tcsetattr(terminal, TCSANOW, &mode) == 0);
}

task<std::string> read_some(int fd) {
    std::array<std::byte, 100> room{};
    const std::size_t n = co_await os::input{io::fd_ref{fd}}.read(room);
    co_return std::string{as_text(std::span{room}.first(n))};
}

task<> type_after_changes_of_mode(int keyboard, int terminal) {
    auto reader = spawn(read_some, terminal);
    for (int i = 0; i < 4; ++i) {
        co_await sleep(std::chrono::milliseconds{2});
        toggle_echo(terminal);  // wakes whoever polls, with nothing to read
    }
    co_await sleep(std::chrono::milliseconds{2});
    CHECK_FALSE(reader.ready());
    CHECK(::write(keyboard, "typed\n", 6) == 6);
    const std::string got = co_await reader.get();
    CHECK(got == "typed\n");
}

}  // namespace

TEST_CASE("a terminal is read on when its mode changes meanwhile", "[stdin]") {
    const leak_check leaks;
    const io::owned_fd keyboard{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    if (!keyboard || ::grantpt(keyboard.get()) != 0 || ::unlockpt(keyboard.get()) != 0) SKIP("no pseudo terminal here");
    std::array<char, 64> name{};
    REQUIRE(::ptsname_r(keyboard.get(), name.data(), name.size()) == 0);
    const io::owned_fd terminal{::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    REQUIRE(terminal);
    run(type_after_changes_of_mode, keyboard.get(), terminal.get());
}
