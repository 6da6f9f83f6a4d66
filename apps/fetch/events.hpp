// SPDX-License-Identifier: MIT
#pragma once

#include "common/printer.hpp"
#include "fetch/board.hpp"
#include "fetch/failure.hpp"
#include <ringlet/core/task.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace fetch {

/// The events of --json, as docs/fetch.md describes them: one JSON object with its newline each.
[[nodiscard]] std::string start_event(const transfer& what);
[[nodiscard]] std::string progress_event(const transfer& what);
[[nodiscard]] std::string retry_event(const transfer& what, const failure& why, unsigned next_try, unsigned tries,
                                      std::chrono::nanoseconds wait);
[[nodiscard]] std::string done_event(const transfer& what);
[[nodiscard]] std::string skipped_event(const transfer& what, std::string_view why);
[[nodiscard]] std::string error_event(const transfer& what, const failure& why);
/// Of the run: nothing can be fetched at all.
[[nodiscard]] std::string error_event(const failure& why);
/// It was under way when the run was told to end.
[[nodiscard]] std::string interrupted_event(const transfer& what);
[[nodiscard]] std::string summary_event(const board& all, bool interrupted);

/// Writes events without loss: where the reader stalls they wait here, as many as there are.
class event_stream {
public:
    explicit event_stream(apps::printer& to) noexcept : to_{&to} {}

    /// Throws std::bad_alloc; then this one is lost.
    void put(const std::string& event);
    /// Goes on with what waits, when the reader has taken what it was given.
    void flush();
    /// Whether nothing waits: for events that may be left out.
    [[nodiscard]] bool idle() const noexcept { return waiting_.empty() && to_->idle(); }
    /// Waits until all is written, or cannot be.
    ringlet::task<> written();

private:
    apps::printer* to_;
    std::size_t given_ = 0;  // bytes since the printer had none
    std::string waiting_;
};

}  // namespace fetch
