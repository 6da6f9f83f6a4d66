// SPDX-License-Identifier: MIT
#pragma once

#include "xfer/digests.hpp"
#include "xfer/options.hpp"
#include "xfer/report.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tcp_stream.hpp>

namespace xfer {

/// What all connections of a server share.
struct server {
    /// Opens the root. Throws std::system_error.
    explicit server(const serve_options& how);

    const serve_options& how;
    ringlet::io::owned_fd root;
    ringlet::net::drain drain;
    xfer::digests digests;
    reporter report;
    std::size_t active = 0;  ///< connections
};

/// Serves one connection to its end, and reports it.
ringlet::task<> serve_client(ringlet::net::tcp_stream stream, server& here);

/// Serves until the drain has begun and the last client has gone.
ringlet::task<> serve_clients(ringlet::net::tcp_listener& listener, server& here);

}  // namespace xfer
