// SPDX-License-Identifier: MIT
#pragma once

#include "common/printer.hpp"
#include "common/progress.hpp"
#include "fetch/board.hpp"
#include "fetch/failure.hpp"
#include "fetch/options.hpp"
#include <ringlet/core/task.hpp>

#include <memory>
#include <string>
#include <vector>

namespace fetch {

/// Everything that is said, on standard error: bars on a terminal, else a line for each download that ends. Text from
/// outside is sanitized here and nowhere else. A terminal that stands still holds up no download.
class display {
public:
    display(board& shown, const options& how);

    /// Draws the bars until it is cancelled; off a terminal, or with -q, it only waits.
    ringlet::task<> animate();

    void saved(const transfer& what);
    void failed(const transfer& what, const failure& why);
    /// Nothing can be fetched at all.
    void failed(const failure& why);
    /// With -v only.
    void note(const transfer& what, const std::string& text);
    /// A sentence about the run as a whole; not with -q.
    void announce(const std::string& text);
    /// Takes the bars away and says how it ended; with -q, or when nobody reads the output any more, only takes them away.
    void finish(bool interrupted);
    /// Waits until all that was said is written, or cannot be.
    ringlet::task<> written();

private:
    template <class Line>
    void insist(Line line);
    void say(const std::string& line);
    void begin_anew_after_a_stop();
    void draw(const std::vector<std::string>& finished);

    board* board_;
    apps::printer out_;
    apps::progress_screen screen_;
    bool bars_;
    bool quiet_;
    bool verbose_;
    bool ascii_;
    std::unique_ptr<char[]> reserve_;  // memory for the words that there is none
};

}  // namespace fetch
