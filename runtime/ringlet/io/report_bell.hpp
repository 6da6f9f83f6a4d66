// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

namespace ringlet::io::detail {

/// How often the process was asked for a report of its jobs. Each loop remembers how often it has answered.
inline constinit std::atomic<std::uint32_t> reports_asked = 0;

/// Set once a handler of a signal calls ask_for_reports(): only then loops need a bell.
inline constinit std::atomic<bool> reports_may_be_asked = false;

/// Wakes the loops of the process, so that each prints its jobs. For handlers of signals: nothing but atomics, getpid(2) and
/// write(2).
void ask_for_reports() noexcept;

/// While it lives, ask_for_reports() writes to this eventfd, which does not block. Where there are more than a few hundred,
/// the rest is not rung: such a loop answers when it wakes for another reason. Not in children of fork(2).
class report_bell {
public:
    explicit report_bell(int eventfd) noexcept;
    report_bell(const report_bell&) = delete;
    report_bell& operator=(const report_bell&) = delete;
    /// After this nobody writes to the descriptor any more, and it may be closed.
    ~report_bell();

private:
    std::atomic<int>* place_ = nullptr;
    int eventfd_;
};

}  // namespace ringlet::io::detail
