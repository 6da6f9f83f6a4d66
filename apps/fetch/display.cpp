// SPDX-License-Identifier: MIT
#include "fetch/display.hpp"

#include "common/sanitize.hpp"
#include "common/terminal.hpp"
#include "common/width.hpp"
#include <ringlet/io/system_calls.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace fetch {
namespace {

namespace sys = ringlet::io::sys;

constexpr std::chrono::milliseconds frame{100};
constexpr std::size_t url_cells_max = 400;
constexpr std::size_t reason_cells_max = 400;
constexpr std::size_t above_bytes_max = 64 * 1024;
constexpr std::size_t table_rows_max = 50;  // of each kind
constexpr std::size_t table_url_cells_max = 60;
constexpr std::chrono::seconds between_events{1};
constexpr std::chrono::seconds between_totals{10};
constexpr std::size_t total_cells_max = 200;
constexpr std::size_t reserve_bytes = 64 * 1024;

std::string safe(std::string_view text, std::size_t cells_max) {
    return apps::sanitize(text, apps::text_context::field, cells_max);
}

double rate_of(std::uint64_t bytes, std::chrono::nanoseconds length) noexcept {
    const double seconds = std::chrono::duration<double>(length).count();
    return seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
}

// `fresh`: bytes of this run, which alone make the rate.
std::string amount(std::uint64_t bytes, std::uint64_t fresh, std::chrono::nanoseconds length) {
    std::string text = fmt::format("{} in {}, {}", apps::format_size(bytes), apps::format_duration(length),
                                   apps::format_rate(rate_of(fresh, length)));
    if (fresh < bytes) text += fmt::format("; {} were there", apps::format_size(bytes - fresh));
    return text;
}

std::string url_of(const transfer& what) { return safe(what.what->url, url_cells_max); }

std::string so_far(const transfer& what) {
    if (what.done_bytes == 0 && !what.total_bytes) return "no answer yet";
    return "after " + apps::format_size(what.done_bytes) +
           (what.total_bytes ? " of " + apps::format_size(*what.total_bytes) : "");
}

// What was not saved for one reason: the first few, and how many there are.
class table {
public:
    table(std::string_view result, std::size_t count) : result_{result}, count_{count} {}

    [[nodiscard]] bool has_room() const noexcept { return rows_.size() < table_rows_max; }
    void add(const item& what, const std::string& why) {
        if (has_room()) rows_.push_back({safe(what.url, url_cells_max), safe(why, reason_cells_max)});
    }
    // Of the widest URL; a very long one stands out.
    [[nodiscard]] std::size_t url_cells() const noexcept {
        std::size_t cells = 0;
        for (const row& one : rows_) cells = std::max(cells, apps::cells_of(one.url));
        return std::min(cells, table_url_cells_max);
    }
    [[nodiscard]] std::vector<std::string> lines(std::size_t url_cells) const {
        std::vector<std::string> all;
        for (const row& one : rows_)
            all.push_back(fmt::format("  {:<10}  {}  {}", result_, apps::pad_right(one.url, url_cells), one.why));
        if (count_ > rows_.size())
            all.push_back(
                fmt::format("  {:<10}  {}{} more", result_, rows_.empty() ? "" : "and ", count_ - rows_.size()));
        return all;
    }

private:
    struct row {
        std::string url;
        std::string why;
    };
    std::string_view result_;
    std::size_t count_;
    std::vector<row> rows_;
};

bool draws_bars(const options& how) noexcept {
    if (how.quiet || !apps::can_draw(STDERR_FILENO)) return false;
    return !(how.json && sys::isatty(STDOUT_FILENO));  // the events would stand between them
}

}  // namespace

display::display(board& shown, const options& how)
    : board_{&shown},
      events_{printers_.out()},
      total_told_{ringlet::clock::now()},
      events_told_{total_told_},
      bars_{draws_bars(how)},
      quiet_{how.quiet},
      verbose_{how.verbose && !how.quiet},
      json_{how.json},
      ascii_{!apps::utf8_terminal()},
      reserve_{new char[reserve_bytes]} {
    if (bars_) apps::note_stops();
}

ringlet::task<> display::animate() {
    std::chrono::nanoseconds pause = std::chrono::hours{24};
    if (!quiet_) pause = between_totals;
    if (json_) pause = between_events;
    if (bars_) pause = frame;
    for (;;) {
        try {
            tick();
        } catch (const std::bad_alloc&) {  // the next picture will do
        }
        co_await ringlet::sleep(pause);
    }
}

void display::tick() {
    const ringlet::deadline now = ringlet::clock::now();
    if (bars_ && printers_.err().idle()) draw();  // else the last picture is still on its way
    if (json_) events_.flush();
    if (json_ && now - events_told_ >= between_events) {
        events_told_ = now;
        tell_progress();
    }
    if (bars_ || quiet_) return;
    const apps::progress_state state = board_->progress();
    if (now - total_told_ < between_totals) return;
    total_told_ = now;
    say("ringlet-fetch: " + render_total(state, total_cells_max));
}

void display::tell_progress() {
    for (const auto& what : board_->active()) {
        if (!events_.idle()) return;  // a reader that stalls has no use for old news
        events_.put(progress_event(*what));
    }
}

void display::begin_anew_after_a_stop() {
    if (!apps::take_continued()) return;
    screen_.leave();
    printers_.err().put("\r");
}

void display::draw() {
    begin_anew_after_a_stop();
    const apps::progress_style style = apps::terminal_window(STDERR_FILENO, ascii_);
    printers_.err().put(screen_.update(render_progress(board_->progress(), style), above_));
    above_.clear();
    above_bytes_ = 0;
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
        printers_.err().line("ringlet-fetch: out of memory");
    }
    reserve_.reset(new (std::nothrow) char[reserve_bytes]);
}

template <class Event>
void display::tell(Event event) {
    if (!json_) return;
    try {
        events_.put(event());
        return;
    } catch (const std::bad_alloc&) {
        reserve_.reset();
    }
    try {
        events_.put(event());
    } catch (const std::bad_alloc&) {  // the summary still counts it
    }
    reserve_.reset(new (std::nothrow) char[reserve_bytes]);
}

// On a terminal lines wait for the next picture: however many files end, it is drawn no more often.
void display::say(std::string line) {
    if (!bars_) {
        printers_.err().line(line);
        return;
    }
    above_bytes_ += line.size();
    above_.push_back(std::move(line));
    if (above_bytes_ > above_bytes_max) draw_at_once();
}

void display::draw_at_once() noexcept {
    try {
        if (bars_) draw();
    } catch (const std::bad_alloc&) {  // the next picture will do
    }
}

void display::started(const transfer& what) {
    tell([&] { return start_event(what); });
    if (!bars_) note(what, "begins");
}

void display::resuming(const transfer& what) { note(what, "goes on at " + apps::format_size(what.resumed_bytes)); }

void display::starting_over(const transfer& what, const std::string& why) {
    if (quiet_) return;
    insist([&] { return "ringlet-fetch: " + url_of(what) + ": starts over: " + safe(why, reason_cells_max); });
}

void display::retrying(const transfer& what, const failure& why, unsigned next_try, unsigned tries,
                       std::chrono::nanoseconds wait) {
    tell([&] { return retry_event(what, why, next_try, tries, wait); });
    if (quiet_) return;
    insist([&] {
        return fmt::format("ringlet-fetch: {}: {}; try {} of {} in {}", url_of(what),
                           safe(why.what(), reason_cells_max), next_try, tries, apps::format_duration(wait));
    });
}

void display::saved(const transfer& what) {
    tell([&] { return done_event(what); });
    if (quiet_) return;
    insist([&] {
        return safe(what.name, url_cells_max) + ": " +
               amount(what.done_bytes, what.fresh_bytes(), ringlet::clock::now() - what.began);
    });
}

void display::skipped(const transfer& what, const std::string& why) {
    tell([&] { return skipped_event(what, why); });
    if (quiet_) return;
    insist([&] {
        const std::string& shown = what.name.empty() ? what.what->url : what.name;
        return safe(shown, url_cells_max) + ": skipped: " + safe(why, reason_cells_max);
    });
}

void display::failed(const transfer& what, const failure& why) {
    if (why.code() == apps::exit_code::reader_gone) return;  // they have what they wanted: fetch -o - URL | head
    tell([&] { return error_event(what, why); });
    insist([&] { return "ringlet-fetch: " + url_of(what) + ": " + safe(why.what(), reason_cells_max); });
}

void display::failed(const failure& why) {
    take_bars_away();
    tell([&] { return error_event(why); });
    insist([&] { return "ringlet-fetch: " + safe(why.what(), reason_cells_max); });
}

void display::note(const transfer& what, const std::string& text) {
    if (verbose_) insist([&] { return url_of(what) + ": " + safe(text, reason_cells_max); });
}

void display::announce(const std::string& text) {
    if (quiet_) return;
    // At once, without bars until the next picture: whoever pressed Ctrl-C wants to see it, and may press it again.
    const bool bars = bars_;
    take_bars_away();
    insist([&] { return "ringlet-fetch: " + text; });
    bars_ = bars;
}

void display::take_bars_away() {
    if (!bars_) return;
    begin_anew_after_a_stop();
    printers_.err().put(screen_.clear());
    for (const std::string& line : above_) printers_.err().line(line);
    above_.clear();
    bars_ = false;
}

void display::finish(bool interrupted) {
    take_bars_away();
    if (board_->outcome() == apps::exit_code::reader_gone) return;
    if (interrupted) tell_interrupted();
    tell([&] { return summary_event(*board_, interrupted); });
    if (quiet_) return;

    try {
        if (board_->size() > 1) say_not_saved();
    } catch (const std::bad_alloc&) {  // each was said when it ended
    }
    std::string line = fmt::format("{} ok, {} failed", board_->done(), board_->failed());
    if (board_->skipped() > 0) line += fmt::format(", {} skipped", board_->skipped());
    if (interrupted) line += fmt::format(", {} not finished", board_->unfinished());
    const std::uint64_t fresh = board_->bytes() - board_->resumed_bytes();
    announce((interrupted ? "interrupted: " : "") + line + ", " + amount(fresh, fresh, board_->elapsed()));
    const auto announce_kept = [this](std::size_t number, std::string_view how) {
        if (number == 0) return;
        announce(fmt::format("{} unfinished file{} kept; resume with {}", number, number == 1 ? " is" : "s are", how));
    };
    announce_kept(kept_parts_, "the same command");
    announce_kept(kept_too_large_, "a larger --max-size");
}

void display::tell_interrupted() {
    for (const auto& what : board_->active()) tell([&] { return interrupted_event(*what); });
}

void display::say_not_saved() {
    if (board_->done() == board_->size()) return;
    table skipped{"skipped", board_->skipped()};
    table failed{"failed", board_->failed()};
    table unfinished{"unfinished", board_->unfinished()};
    for (const unsaved& one : board_->not_saved()) (one.skipped ? skipped : failed).add(*one.what, one.why);
    for (const auto& what : board_->active()) unfinished.add(*what->what, so_far(*what));
    for (std::size_t i = board_->begun(); i < board_->size() && unfinished.has_room(); ++i)
        unfinished.add(board_->items()[i], "not begun");

    announce("not saved:");
    const std::size_t url_cells = std::max({skipped.url_cells(), failed.url_cells(), unfinished.url_cells()});
    for (const table* part : {&skipped, &failed, &unfinished})
        for (const std::string& line : part->lines(url_cells)) say(line);
}

ringlet::task<apps::exit_code> display::written() {
    take_bars_away();
    if (json_) co_await events_.written();
    co_await printers_.out().finish();
    apps::exit_code outcome = apps::exit_code::ok;
    const std::error_code error = json_ ? printers_.out().error() : std::error_code{};
    if (error && error != std::errc::broken_pipe) {  // a reader that has left has what it wanted
        outcome = apps::exit_code::file;
        insist([&] { return "ringlet-fetch: write standard output: " + error.message(); });
    }
    co_await printers_.err().finish();
    co_return outcome;
}

}  // namespace fetch
