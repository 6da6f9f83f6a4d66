// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/message.hpp>
#include <ringlet/net/endpoint.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace serve {

/// One line of the Combined Log Format, without line end. Everything that came from outside is escaped, so that no
/// request can forge a line or reach the terminal. The status is "-" where no answer was begun.
std::string log_line(const ringlet::net::endpoint& peer, const ringlet::http::request_head& request,
                     std::optional<ringlet::http::status> status, std::uint64_t body_bytes);

/// The same for a request that was refused before its head was complete or right: `known` is what came of it. Of the
/// request line it has method and target as far as they came, or "-".
std::string refusal_line(const ringlet::net::endpoint& peer, const ringlet::http::request_head& known,
                         std::optional<ringlet::http::status> status, std::uint64_t body_bytes);

}  // namespace serve
