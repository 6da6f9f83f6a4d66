// SPDX-License-Identifier: MIT
#pragma once

#include "common/printer.hpp"
#include "common/progress.hpp"
#include "xfer/download.hpp"
#include "xfer/failure.hpp"
#include "xfer/protocol.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/time/clock.hpp>

#include <string>

namespace xfer {

/// What `get` says: a bar on a terminal, sentences on standard error, with --json events on standard output. Text from
/// outside is sanitized here and nowhere else.
class display {
public:
    display(const get_options& how, download& shown);

    /// Draws the bar, and tells events of progress, until it is cancelled.
    ringlet::task<> animate();

    /// A sentence, not with -q.
    void say(const std::string& text);
    /// With -v only.
    void note(const std::string& text);
    /// The server has it, and it comes from `offered.start` on.
    void started(const offer& offered);
    void saved();
    void failed(const failure& why);
    void interrupted(int status);
    /// Waits until all that was said is written, or cannot be. Result: ok, or why events are missing.
    ringlet::task<apps::exit_code> written();

private:
    void take_bar_away();
    void draw();
    void tell(const std::string& event);
    [[nodiscard]] std::string numbers() const;
    void say_what_is_kept();

    const get_options* how_;
    download* state_;
    apps::standard_printers printers_;
    apps::progress_screen screen_;
    ringlet::deadline told_;
    bool bar_;
    bool ascii_;
};

}  // namespace xfer
