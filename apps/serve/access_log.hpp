// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/message.hpp>
#include <ringlet/net/endpoint.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace serve {

/// One line of the Combined Log Format, without line end. Everything that came from outside is escaped, so that no
/// request can forge a line or reach the terminal.
std::string log_line(const ringlet::net::endpoint& peer, const ringlet::http::request_head& request,
                     ringlet::http::status status, std::uint64_t body_bytes);

/// Writes a line to standard output, at once. Where nobody reads it any more, or the disk is full, the line is dropped:
/// a server goes on without its log.
void log(std::string_view line) noexcept;

}  // namespace serve
