// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/job.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/net/drain.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace chat {

/// Writes lines to a terminal, pipe or file, each at once; a reader that is slow holds up nobody before a mebibyte waits.
class printer {
public:
    /// On a terminal, `over_input`: where somebody types, a line takes the place of what is on the screen.
    printer(ringlet::io::fd_ref to, bool over_input) noexcept : to_{to}, over_input_{over_input} {}

    /// Errors: std::system_error, when the lines before could not be written.
    ringlet::task<> print(std::string_view line);
    /// Waits until all has been written. Errors: as print.
    ringlet::task<> finish();
    /// Waits until nothing can be written any more. Errors: that, always.
    ringlet::task<> until_broken();

private:
    static constexpr std::size_t pending_bytes_max = std::size_t{1} << 20;

    ringlet::task<> write_out();

    ringlet::io::fd_ref to_;
    bool over_input_;
    std::string pending_;
    std::optional<ringlet::job<>> writer_;
    std::error_code error_;
    ringlet::net::drain broken_;  // as an event: begins with error_
};

}  // namespace chat
