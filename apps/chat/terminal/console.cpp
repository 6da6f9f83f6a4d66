// SPDX-License-Identifier: MIT
#include "chat/terminal/console.hpp"

#include "common/sanitize.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/ready.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace chat {
namespace {

namespace sys = ringlet::io::sys;

constexpr std::chrono::milliseconds patience{200};  // with a terminal that takes nothing (Ctrl-S)

std::size_t columns() noexcept {
    winsize size{};
    return sys::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string prompt_of(std::string_view nick) { return nick.empty() ? "> " : std::string{nick} + "> "; }

}  // namespace

bool can_edit_lines() noexcept {
    const char* type = std::getenv("TERM");
    return sys::isatty(STDIN_FILENO) && sys::isatty(STDOUT_FILENO) && type && *type && std::string_view{type} != "dumb";
}

console::console(apps::printer& out, std::string_view nick)
    : out_{out}, editor_{STDIN_FILENO}, line_{&columns}, prompt_{prompt_of(nick)} {
    mode_.apply();
    show();
    out_.keep_below(&line_);
}

console::~console() { out_.keep_below(nullptr); }

void console::set_nick(std::string_view nick) {
    prompt_ = prompt_of(nick);
    show();
}

void console::show() {
    line_.set(prompt_, editor_.text(), editor_.cursor());
    out_.redraw();
}

// Reads what is there, without waiting. Result: false when the terminal has gone.
bool console::read_keys() {
    std::array<char, 4096> block;
    const ssize_t n = sys::read(STDIN_FILENO, block.data(), block.size());
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) {  // somebody else was faster, or nobody types here any more
        pollfd terminal{STDIN_FILENO, POLLIN, 0};
        return sys::poll(&terminal, 1, 0) <= 0 || (terminal.revents & (POLLHUP | POLLERR)) == 0;
    }
    editor_.type({block.data(), static_cast<std::size_t>(n)});
    if (const std::size_t refused = editor_.take_refused(); refused > 0)
        out_.say("[the line is full: {} character{} not taken]", refused, refused == 1 ? " was" : "s were");
    if (editor_.take_clear_screen()) {
        line_.leave();
        out_.put("\x1b[H\x1b[2J");
    }
    show();
    return true;
}

ringlet::task<std::optional<std::string>> console::next() {
    for (;;) {
        if (!editor_.lines().empty()) {
            co_await out_.room();
            std::string line = std::move(editor_.lines().front());
            editor_.lines().pop_front();
            out_.line(prompt_ + apps::sanitize(line, apps::text_context::text));
            co_return line;
        }
        if (editor_.ended() || hung_up_) co_return std::nullopt;
        co_await ringlet::os::readable(ringlet::io::fd_ref{STDIN_FILENO});
        hung_up_ = !read_keys();
    }
}

ringlet::task<> console::attend() {
    for (;;) {
        const int number = co_await ringlet::until_signal(SIGTSTP, SIGCONT, SIGWINCH);
        if (number == SIGTSTP) co_await stop();
        if (number == SIGCONT) go_on();
        if (number == SIGWINCH) out_.redraw();
    }
}

ringlet::task<> console::stop() {
    out_.keep_below(nullptr);
    (void)co_await ringlet::as_result(ringlet::with_timeout(patience, out_.finish()));
    mode_.restore();
    sys::raise(SIGSTOP);  // SIGCONT, which ends that, is also heard by attend()
}

void console::go_on() {
    mode_.apply();
    line_.leave();  // the shell has written since, if it was that which stopped us
    out_.keep_below(&line_);
}

}  // namespace chat
