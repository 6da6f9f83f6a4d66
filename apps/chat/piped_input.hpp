// SPDX-License-Identifier: MIT
#pragma once

#include "chat/line_source.hpp"
#include <ringlet/io/engine.hpp>
#include <ringlet/os/standard_input.hpp>
#include <ringlet/time/sleep.hpp>

namespace chat {

/// Lines of a pipe, a file, or a terminal that is left alone.
class piped_input final : public line_source {
public:
    ringlet::task<std::optional<std::string>> next() override { return lines_.next(); }
    ringlet::task<> attend() override { co_await ringlet::sleep_until(ringlet::io::no_deadline); }
    bool is_typed() const noexcept override { return false; }
    void set_nick(std::string_view) override {}

private:
    ringlet::line_reader lines_{ringlet::standard_input()};
};

}  // namespace chat
