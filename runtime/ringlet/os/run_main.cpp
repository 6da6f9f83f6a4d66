// SPDX-License-Identifier: MIT
#include <ringlet/core/error.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/io/quiet_thread.hpp>
#include <ringlet/io/report_bell.hpp>
#include <ringlet/os/run_main.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace ringlet::os::detail {
namespace {

constexpr int failed = 1;
constexpr int wrong_usage = 2;
constexpr int interrupted = 128 + SIGINT;
constexpr int broken_pipe = 128 + SIGPIPE;

// stdio, not fmt: nothing here may throw.
void say(std::string_view program, const char* what) noexcept {
    std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(program.size()), program.data(), what);
}

}  // namespace

std::string_view program_name(const char* path) noexcept {
    if (path == nullptr || *path == '\0') return "program";
    const char* slash = std::strrchr(path, '/');
    return slash != nullptr && slash[1] != '\0' ? slash + 1 : path;
}

void open_standard_streams() noexcept {
    for (const int fd : {0, 1, 2})
        if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
}

void ignore_broken_pipes() noexcept { ::signal(SIGPIPE, SIG_IGN); }

void install_reports() noexcept {
    const auto install = [](int number, void (*handler)(int), int flags) {
        struct sigaction now{};
        if (::sigaction(number, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) return false;
        struct sigaction action{};
        action.sa_handler = handler;
        action.sa_flags = flags;
        return ::sigaction(number, &action, nullptr) == 0;
    };
    if (install(SIGUSR1, [](int) { io::detail::ask_for_reports(); }, SA_RESTART))
        io::detail::reports_may_be_asked = true;
    // A stack that overflows crashes, too.
    alignas(16) static std::array<std::byte, io::stack_for_crashes::bytes> stack;
    stack_t other{};
    other.ss_sp = stack.data();
    other.ss_size = stack.size();
    if (::sigaltstack(&other, nullptr) != 0) return;
    io::crashes_need_a_stack = true;
    const auto crashed = [](int number) {
        if (!ringlet::detail::this_thread_scheduler) {
            constexpr std::string_view where = "ringlet: a crash in a thread that runs no loop\n";
            [[maybe_unused]] const auto written = ::write(STDERR_FILENO, where.data(), where.size());
        }
        ringlet::detail::print_tasks_in_handler(STDERR_FILENO);
        ::raise(number);  // with its default action again: SA_RESETHAND
    };
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
        install(number, crashed, SA_RESETHAND | SA_ONSTACK);
}

int report_failure(std::string_view program) noexcept {
    std::fflush(stdout);  // what was printed before the failure comes before it
    try {
        throw;
    } catch (const usage_error& error) {
        say(program, error.what());
        std::fprintf(stderr, "Try '%.*s --help' for more information.\n", static_cast<int>(program.size()),
                     program.data());
        return wrong_usage;
    } catch (const std::exception& error) {
        say(program, error.what());
        if (std::getenv("RINGLET_AWAIT_CHAINS") != nullptr)
            std::fputs(await_chain(std::current_exception()).c_str(), stderr);
    } catch (const cancelled&) {
        return interrupted;
    } catch (...) {
        say(program, "an exception of unknown type");
    }
    return failed;
}

int finish_output(std::string_view program, int status) noexcept {
    errno = 0;
    const bool failed_before = std::ferror(stdout) != 0;
    if (std::fflush(stdout) == 0 && !failed_before) return status;
    if (errno == EPIPE) return status != 0 ? status : broken_pipe;
    say(program, errno != 0 ? (std::string{"cannot write to standard output: "} + std::strerror(errno)).c_str()
                            : "cannot write to standard output");
    return status != 0 ? status : failed;
}

}  // namespace ringlet::os::detail
