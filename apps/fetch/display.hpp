// SPDX-License-Identifier: MIT
#pragma once

#include "common/printer.hpp"
#include "common/progress.hpp"
#include "fetch/board.hpp"
#include "fetch/events.hpp"
#include "fetch/failure.hpp"
#include "fetch/options.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace fetch {

/// Everything that is said, on standard error: bars on a terminal, else a line for each download that ends and now and
/// then one with the total; with --json also the events, on standard output. Text from outside is sanitized here and
/// nowhere else. A reader that stands still holds up no download.
///
/// It shows what is on the board and changes nothing there: a download that ends is told here first, then to the board.
class display {
public:
    display(board& shown, const options& how);

    /// Draws the bars, the lines with the total and the events of progress until it is cancelled.
    ringlet::task<> animate();

    /// The request for an item is on the way; once for each.
    void started(const transfer& what);
    /// It goes on at `resumed_bytes`.
    void resuming(const transfer& what);
    /// What was there of it is of no use.
    void starting_over(const transfer& what, const std::string& why);
    /// It failed, and will be tried again after `wait`.
    void retrying(const transfer& what, const failure& why, unsigned next_try, unsigned tries,
                  std::chrono::nanoseconds wait);

    void saved(const transfer& what);
    void skipped(const transfer& what, const std::string& why);
    void failed(const transfer& what, const failure& why);
    /// Nothing can be fetched at all.
    void failed(const failure& why);
    /// With -v only.
    void note(const transfer& what, const std::string& text);
    /// A sentence about the run as a whole, at once; not with -q.
    void announce(const std::string& text);
    /// One more unfinished file lies there for another run to go on with; `too_large`: with a larger --max-size.
    void kept_part(bool too_large) noexcept { ++(too_large ? kept_too_large_ : kept_parts_); }
    /// Takes the bars away and says how it ended, with a table of what was not saved; with -q, or when nobody reads the
    /// output any more, only takes them away.
    void finish(bool interrupted);
    /// Waits until all that was said is written, or cannot be. Result: ok, or why events are missing.
    ringlet::task<apps::exit_code> written();

private:
    template <class Line>
    void insist(Line line);
    template <class Event>
    void tell(Event event);
    void say(std::string line);
    void begin_anew_after_a_stop();
    void draw();
    void draw_at_once() noexcept;  // or not at all, short of memory
    void take_bars_away();
    void tick();
    void tell_progress();
    void tell_interrupted();
    void say_not_saved();

    board* board_;
    apps::standard_printers printers_;
    event_stream events_;
    apps::progress_screen screen_;
    std::vector<std::string> above_;  // lines that the next picture brings
    std::size_t above_bytes_ = 0;
    ringlet::deadline total_told_;
    ringlet::deadline events_told_;
    std::size_t kept_parts_ = 0;
    std::size_t kept_too_large_ = 0;
    bool bars_;
    bool quiet_;
    bool verbose_;
    bool json_;
    bool ascii_;
    std::unique_ptr<char[]> reserve_;  // memory for the words that there is none
};

}  // namespace fetch
