// SPDX-License-Identifier: MIT
#pragma once

#include "xfer/report.hpp"
#include "xfer/server.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/net/tcp_stream.hpp>

namespace xfer {

/// Answers one request by the protocol (docs/xfer-protocol.md), and notes what it came to.
/// Errors: those of the connection; std::errc::timed_out when the client stands still; `cancelled`.
ringlet::task<> answer(ringlet::net::tcp_stream& stream, server& here, transfer& what);

/// The same for who sends a name and takes bytes until the connection ends. The name ends with a line, with the stream, or
/// when nothing has come for a fifth of a second.
ringlet::task<> answer_plainly(ringlet::net::tcp_stream& stream, server& here, transfer& what);

}  // namespace xfer
