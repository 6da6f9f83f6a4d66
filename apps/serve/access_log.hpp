// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/message.hpp>
#include <ringlet/net/compact_endpoint.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace serve {

enum class log_format : std::uint8_t {
    combined,  ///< the Combined Log Format
    json,      ///< an object a line
};

/// What there is to say of one answer.
struct logged_answer {
    const ringlet::net::compact_endpoint& peer;
    const ringlet::http::request_head& request;
    std::optional<ringlet::http::status> status;  ///< none where no answer was begun
    std::uint64_t body_bytes = 0;
    std::chrono::nanoseconds took{0};
    /// The request was refused before its head was complete or right: `request` is what came of it.
    bool refused = false;
};

/// A line of the log, without line end. Everything that came from outside is escaped, so that no request can forge a line
/// or reach the terminal. Of a refused request it has method and target as far as they came, or "-" (null).
std::string log_line(const logged_answer& what, log_format format);

}  // namespace serve
