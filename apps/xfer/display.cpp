// SPDX-License-Identifier: MIT
#include "xfer/display.hpp"

#include "common/json.hpp"
#include "common/sanitize.hpp"
#include "common/terminal.hpp"
#include <ringlet/io/system_calls.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <string_view>

#include <unistd.h>

namespace xfer {
namespace {

constexpr std::chrono::milliseconds frame{100};
constexpr std::chrono::seconds between_events{1};
constexpr std::chrono::seconds stalled_after{5};
constexpr std::size_t text_cells_max = 400;

std::string safe(std::string_view text) { return apps::sanitize(text, apps::text_context::field, text_cells_max); }

bool draws_bar(const get_options& how) noexcept {
    if (how.quiet || !apps::can_draw(STDERR_FILENO)) return false;
    return !(how.json && ringlet::io::sys::isatty(STDOUT_FILENO));  // the events would stand between
}

double seconds_since(ringlet::deadline began) noexcept {
    return std::chrono::duration<double>(ringlet::clock::now() - began).count();
}

}  // namespace

display::display(const get_options& how, download& shown)
    : how_{&how}, state_{&shown}, told_{ringlet::clock::now()}, bar_{draws_bar(how)}, ascii_{!apps::utf8_terminal()} {
    state_->began = state_->moved = told_;
    if (bar_) apps::note_stops();
}

ringlet::task<> display::animate() {
    for (;;) {
        const ringlet::deadline now = ringlet::clock::now();
        try {
            if (bar_ && printers_.err().idle()) draw();  // else the last picture is still on its way
            if (how_->json && state_->total && now - told_ >= between_events) {
                told_ = now;
                // A reader that stalls has no use for old news.
                if (printers_.out().idle()) tell(fmt::format(R"({{"event":"progress",{}}})", numbers()));
            }
        } catch (const std::bad_alloc&) {  // the next picture will do
        }
        std::chrono::nanoseconds pause = std::chrono::hours{24};
        if (how_->json) pause = between_events;
        if (bar_) pause = frame;
        co_await ringlet::sleep(pause);
    }
}

void display::draw() {
    if (how_->output.empty()) return;  // it is being asked for
    if (apps::take_continued()) {
        screen_.leave();
        printers_.err().put("\r");
    }
    const ringlet::deadline now = ringlet::clock::now();
    state_->rate.add(now.time_since_epoch(), state_->bytes - std::min(state_->bytes, state_->resumed));
    apps::progress_item item;
    item.name = how_->output;
    item.done_bytes = state_->bytes;
    item.total_bytes = state_->total;
    item.bytes_per_second = state_->rate.per_second(now.time_since_epoch());
    if (state_->total) item.eta = state_->rate.eta(now.time_since_epoch(), *state_->total - state_->bytes);
    item.note = state_->note;
    item.stalled = now - state_->moved >= stalled_after;
    apps::progress_state all;
    all.active.push_back(std::move(item));
    auto lines = render_progress(all, apps::terminal_window(STDERR_FILENO, ascii_));
    lines.resize(std::min<std::size_t>(lines.size(), 1));  // of one file the total says nothing more
    printers_.err().put(screen_.update(lines, {}));
}

void display::take_bar_away() {
    if (!bar_) return;
    if (apps::take_continued()) screen_.leave();
    printers_.err().put(screen_.clear());
    bar_ = false;
}

void display::tell(const std::string& event) {
    if (how_->json) printers_.out().line(event);
}

std::string display::numbers() const {
    return fmt::format(R"("name":{},"file":{},"bytes":{},"total":{},"resumed":{},"seconds":{:.3f})",
                       apps::json_string(how_->name), apps::json_string(how_->output), state_->bytes,
                       state_->total ? fmt::to_string(*state_->total) : "null", state_->resumed,
                       seconds_since(state_->began));
}

void display::say(const std::string& text) {
    if (how_->quiet) return;
    const bool bar = bar_;
    take_bar_away();
    printers_.err().say("ringlet-xfer: {}", safe(text));
    bar_ = bar;
}

void display::note(const std::string& text) {
    if (how_->verbose) say(text);
}

void display::started(const offer& offered) {
    tell(fmt::format(R"({{"event":"start",{},"modified":{}}})", numbers(),
                     how_->plain ? "null" : fmt::to_string(offered.modified_seconds)));
    if (offered.start > 0) note(fmt::format("goes on at {}", apps::format_size(offered.start)));
}

void display::saved() {
    take_bar_away();
    tell(fmt::format(R"({{"event":"done",{},"sha256":{}}})", numbers(),
                     state_->sha256.empty() ? "null" : apps::json_string(state_->sha256)));
    if (how_->quiet) return;
    const std::uint64_t fresh = state_->bytes - state_->resumed;
    const double seconds = seconds_since(state_->began);
    std::string line = fmt::format("{}: {} in {}, {}", safe(how_->output), apps::format_size(state_->bytes),
                                   apps::format_duration(ringlet::clock::now() - state_->began),
                                   apps::format_rate(seconds > 0 ? static_cast<double>(fresh) / seconds : 0));
    if (state_->resumed > 0) line += fmt::format("; {} were there", apps::format_size(state_->resumed));
    if (how_->verbose && !state_->sha256.empty()) line += "; sha256 " + state_->sha256;
    printers_.err().line(line);
}

void display::say_what_is_kept() {
    if (!how_->quiet && state_->kept)
        printers_.err().say("ringlet-xfer: {}.part is kept{}", safe(how_->output),
                            how_->plain ? "" : "; go on with --resume");
}

void display::failed(const failure& why) {
    take_bar_away();
    tell(fmt::format(R"({{"event":"error",{},"error":"{}","message":{},"exit_code":{}}})", numbers(),
                     word_of(why.why()), apps::json_string(why.what()), to_int(code_of(why.why()))));
    const std::string name = how_->name.empty() ? "" : safe(how_->name) + ": ";
    printers_.err().say("ringlet-xfer: {}{}", name, safe(why.what()));
    say_what_is_kept();
}

void display::interrupted(int status) {
    take_bar_away();
    tell(fmt::format(R"({{"event":"error",{},"error":"interrupted","message":"interrupted","exit_code":{}}})",
                     numbers(), status));
    if (how_->quiet) return;
    if (state_->total)
        printers_.err().say("ringlet-xfer: interrupted: got {} of {} bytes", state_->bytes, *state_->total);
    else
        printers_.err().say("ringlet-xfer: interrupted");
    say_what_is_kept();
}

ringlet::task<apps::exit_code> display::written() {
    take_bar_away();
    co_await printers_.out().finish();
    apps::exit_code outcome = apps::exit_code::ok;
    const std::error_code error = how_->json ? printers_.out().error() : std::error_code{};
    if (error && error != std::errc::broken_pipe) {  // a reader that has left has what it wanted
        outcome = apps::exit_code::file;
        printers_.err().say("ringlet-xfer: write standard output: {}", error.message());
    }
    co_await printers_.err().finish();
    co_return outcome;
}

}  // namespace xfer
