// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace apps {

/// What stands below all lines of a terminal and stays there, such as a line that is being typed.
class bottom_line {
public:
    /// What takes away what was drawn last; the cursor is then at the beginning of an empty line. Nothing when nothing was.
    virtual std::string wipe() = 0;
    /// What draws it at the cursor, which is at the beginning of an empty line, or over what was drawn last.
    virtual std::string draw() = 0;

protected:
    ~bottom_line() = default;
};

/// Says things on a terminal, pipe or file and never holds up the loop: a job writes, in one request all that has gathered
/// since the last. Where the reader stalls, a mebibyte waits; what comes after that is dropped, and one line in its place
/// says how many there were. What cannot be written is lost: a program goes on without its words.
///
/// Thread:    the loop's thread, while the loop runs.
class printer {
public:
    explicit printer(ringlet::io::fd_ref to);
    printer(const printer&) = delete;
    printer& operator=(const printer&) = delete;
    /// Still writes what no request has, as far as it is taken at once: for programs that end by a failure.
    ~printer();

    void line(std::string_view text) noexcept { add(text, "\n"); }
    /// A line, formatted.
    template <class... T>
    void say(fmt::format_string<T...> text, T&&... values) noexcept {
        try {
            line(fmt::format(text, std::forward<T>(values)...));
        } catch (const std::exception&) {  // memory is short
        }
    }
    /// Text as it is.
    void put(std::string_view text) noexcept { add(text, {}); }

    /// From here on `what` stands below all lines: it is wiped before what has gathered is written and drawn after it.
    /// It lives until another takes its place or, with null, none; then it is wiped for good.
    void keep_below(bottom_line* what) noexcept;
    /// Draws it anew.
    void redraw() noexcept;

    /// Whether everything has been written.
    bool idle() const noexcept;
    /// Waits until so little waits that nothing is dropped: for those who may lose no line. Errors: `cancelled`.
    ringlet::task<> room();
    /// Waits until everything has been written or is lost. Errors: `cancelled`.
    ringlet::task<> finish();
    /// Waits until something cannot be written. Errors: `cancelled`.
    ringlet::task<> until_broken();
    /// Why something could not be written, the last time.
    std::error_code error() const noexcept;

private:
    struct queue;

    void add(std::string_view text, std::string_view after) noexcept;
    void start_writing() noexcept;
    static ringlet::task<> write_out(std::shared_ptr<queue> what);

    std::shared_ptr<queue> queue_;  // the job's, too: it may see its cancellation after we have gone
};

/// Standard output and standard error; one and the same where both lead to the same place, so that the order is kept.
class standard_printers {
public:
    standard_printers();

    printer& out() noexcept { return out_; }
    printer& err() noexcept { return err_ ? *err_ : out_; }
    /// As printer::finish, for both; what nobody takes within ten seconds is lost.
    ringlet::task<> finish();

private:
    ringlet::task<> finish_both();

    printer out_;
    std::optional<printer> err_;
};

}  // namespace apps
