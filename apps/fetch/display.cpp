// SPDX-License-Identifier: MIT
#include "fetch/display.hpp"

#include "common/sanitize.hpp"
#include <ringlet/io/system_calls.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <new>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace fetch {
namespace {

namespace sys = ringlet::io::sys;

constexpr std::chrono::milliseconds frame{100};
constexpr std::size_t url_cells_max = 400;
constexpr std::size_t reason_cells_max = 400;
constexpr std::size_t reserve_bytes = 64 * 1024;

std::string safe(std::string_view text, std::size_t cells_max) {
    return apps::sanitize(text, apps::text_context::field, cells_max);
}

std::string_view variable(const char* name) noexcept {
    const char* value = std::getenv(name);
    return value ? value : "";
}

bool utf8_terminal() noexcept {
    std::string_view locale = variable("LC_ALL");
    if (locale.empty()) locale = variable("LC_CTYPE");
    if (locale.empty()) locale = variable("LANG");
    for (const std::string_view name : {"UTF-8", "utf-8", "UTF8", "utf8"})
        if (locale.find(name) != locale.npos) return true;
    return false;
}

// Asked each time, so that a window may change its size.
apps::progress_style window(bool ascii) noexcept {
    apps::progress_style style;
    style.ascii = ascii;
    winsize size{};
    if (sys::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        style.columns = size.ws_col;
        style.rows = size.ws_row;
    } else if (const int columns = std::atoi(std::string{variable("COLUMNS")}.c_str()); columns > 0) {
        style.columns = static_cast<std::size_t>(columns);
    }
    return style;
}

// Set when the program goes on after it was stopped. A handler runs before anything else then, so nothing is drawn over
// what the shell has said.
volatile std::sig_atomic_t continued = 0;

void note_continuations() noexcept {
    struct sigaction action{};
    action.sa_handler = [](int) noexcept { continued = 1; };
    action.sa_flags = SA_RESTART;
    sys::sigaction(SIGCONT, &action, nullptr);
}

double rate_of(std::uint64_t bytes, std::chrono::nanoseconds length) noexcept {
    const double seconds = std::chrono::duration<double>(length).count();
    return seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
}

std::string amount(std::uint64_t bytes, std::chrono::nanoseconds length) {
    return fmt::format("{} in {}, {}", apps::format_size(bytes), apps::format_duration(length),
                       apps::format_rate(rate_of(bytes, length)));
}

}  // namespace

display::display(board& shown, const options& how)
    : board_{&shown},
      out_{ringlet::io::fd_ref{STDERR_FILENO}},
      bars_{!how.quiet && sys::isatty(STDERR_FILENO) != 0 && variable("TERM") != "dumb"},
      quiet_{how.quiet},
      verbose_{how.verbose && !how.quiet},
      ascii_{!utf8_terminal()},
      reserve_{new char[reserve_bytes]} {
    if (bars_) note_continuations();
}

ringlet::task<> display::animate() {
    const std::chrono::nanoseconds pause = bars_ ? std::chrono::nanoseconds{frame} : std::chrono::hours{24};
    for (;;) {
        try {
            if (bars_ && out_.idle()) draw({});  // else the last picture is still on its way
        } catch (const std::bad_alloc&) {        // the next picture will do
        }
        co_await ringlet::sleep(pause);
    }
}

void display::begin_anew_after_a_stop() {
    if (continued == 0) return;
    continued = 0;
    screen_.leave();
    out_.put("\r");
}

void display::draw(const std::vector<std::string>& finished) {
    begin_anew_after_a_stop();
    const apps::progress_style style = window(ascii_);
    out_.put(screen_.update(render_progress(board_->progress(), style), finished, style.columns));
}

// Says what `line` gives. The end of a download is never passed over, and never ends the others.
template <class Line>
void display::insist(Line line) {
    try {
        say(line());
        return;
    } catch (const std::bad_alloc&) {
        reserve_.reset();
    }
    try {
        say(line());
    } catch (const std::bad_alloc&) {
        out_.line("ringlet-fetch: out of memory");
    }
    reserve_.reset(new (std::nothrow) char[reserve_bytes]);
}

void display::say(const std::string& line) {
    if (bars_)
        draw({line});
    else
        out_.line(line);
}

void display::saved(const transfer& what) {
    if (quiet_) return;
    insist([&] {
        return safe(what.name, url_cells_max) + ": " + amount(what.done_bytes, ringlet::clock::now() - what.began);
    });
}

void display::failed(const transfer& what, const failure& why) {
    if (why.code() == apps::exit_code::reader_gone) return;  // they have what they wanted: fetch -o - URL | head
    insist([&] {
        return "ringlet-fetch: " + safe(what.url.to_string(), url_cells_max) + ": " +
               safe(why.what(), reason_cells_max);
    });
}

void display::failed(const failure& why) {
    insist([&] { return "ringlet-fetch: " + safe(why.what(), reason_cells_max); });
}

void display::note(const transfer& what, const std::string& text) {
    if (verbose_) say(safe(what.url.to_string(), url_cells_max) + ": " + safe(text, reason_cells_max));
}

void display::announce(const std::string& text) {
    if (!quiet_) say("ringlet-fetch: " + text);
}

void display::finish(bool interrupted) {
    begin_anew_after_a_stop();
    if (bars_) out_.put(screen_.clear(window(ascii_).columns));
    bars_ = false;
    if (board_->outcome() == apps::exit_code::reader_gone) return;
    std::string line = fmt::format("{} ok, {} failed", board_->done(), board_->failed());
    if (interrupted) line += fmt::format(", {} not finished", board_->size() - board_->done() - board_->failed());
    announce((interrupted ? "interrupted: " : "") + line + ", " + amount(board_->bytes(), board_->elapsed()));
}

ringlet::task<> display::written() { co_await out_.finish(); }

}  // namespace fetch
