// SPDX-License-Identifier: MIT
#include "terminal.hpp"

#include <ringlet/io/system_calls.hpp>

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace apps {
namespace {

namespace sys = ringlet::io::sys;

std::string_view variable(const char* name) noexcept {
    const char* value = std::getenv(name);
    return value ? value : "";
}

// Set when the program goes on after it was stopped. A handler runs before anything else then, so nothing is drawn over
// what the shell has said.
volatile std::sig_atomic_t continued = 0;

void wipe_and_stop(int) noexcept {
    constexpr std::string_view wipe = "\r\x1b[J";  // the cursor rests where the bars begin
    [[maybe_unused]] const ssize_t n = sys::write(STDERR_FILENO, wipe.data(), wipe.size());
    std::raise(SIGSTOP);
}

}  // namespace

bool can_draw(int fd) noexcept { return sys::isatty(fd) && variable("TERM") != "dumb"; }

bool utf8_terminal() noexcept {
    std::string_view locale = variable("LC_ALL");
    if (locale.empty()) locale = variable("LC_CTYPE");
    if (locale.empty()) locale = variable("LANG");
    for (const std::string_view name : {"UTF-8", "utf-8", "UTF8", "utf8"})
        if (locale.find(name) != locale.npos) return true;
    return false;
}

progress_style terminal_window(int fd, bool ascii) noexcept {
    progress_style style;
    style.ascii = ascii;
    winsize size{};
    if (sys::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        style.columns = size.ws_col;
        style.rows = size.ws_row;
    } else if (const int columns = std::atoi(std::string{variable("COLUMNS")}.c_str()); columns > 0) {
        style.columns = static_cast<std::size_t>(columns);
    }
    return style;
}

void note_stops() noexcept {
    struct sigaction action{};
    action.sa_flags = SA_RESTART;
    action.sa_handler = [](int) noexcept { continued = 1; };
    sys::sigaction(SIGCONT, &action, nullptr);
    struct sigaction present{};
    if (sys::sigaction(SIGTSTP, nullptr, &present) != 0 || present.sa_handler == SIG_IGN) return;  // no shell with jobs
    action.sa_handler = wipe_and_stop;
    sys::sigaction(SIGTSTP, &action, nullptr);
}

bool take_continued() noexcept {
    const bool was = continued != 0;
    continued = 0;
    return was;
}

}  // namespace apps
