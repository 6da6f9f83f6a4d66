// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/message.hpp>
#include <ringlet/net/endpoint.hpp>

#include <cstdint>
#include <string>

namespace serve {

/// One line of the Combined Log Format, without line end. Everything that came from outside is escaped, so that no
/// request can forge a line or reach the terminal.
std::string log_line(const ringlet::net::endpoint& peer, const ringlet::http::request_head& request,
                     ringlet::http::status status, std::uint64_t body_bytes);

}  // namespace serve
