// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace chat {

/// Where the lines to send come from.
class line_source {
public:
    virtual ~line_source() = default;

    /// The next line. Result and errors: as ringlet::line_reader::next.
    virtual ringlet::task<std::optional<std::string>> next() = 0;
    /// Sees to the terminal, where there is one, until it is cancelled.
    virtual ringlet::task<> attend() = 0;
    /// Whether somebody types, who is not to be kept waiting.
    virtual bool is_typed() const noexcept = 0;
    /// Under which name somebody types.
    virtual void set_nick(std::string_view nick) = 0;
};

}  // namespace chat
