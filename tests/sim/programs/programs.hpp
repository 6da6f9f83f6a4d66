// SPDX-License-Identifier: MIT
#pragma once

#include "chat/options.hpp"
#include "echo/options.hpp"
#include "fetch/options.hpp"
#include "serve/options.hpp"
#include "xfer/options.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/net/tcp_listener.hpp>

/// The programs' bodies: what their main() runs, out of the very same sources.
namespace programs {

/// ringlet-serve, until it has been told to end by a signal and has drained.
ringlet::task<> serve(const serve::options& how);
/// What ringlet-serve does with one connection, from accepting it to its end.
ringlet::task<> serve_one_client(ringlet::net::tcp_listener& from, const serve::options& how);
/// ringlet-fetch. Result: its exit status.
ringlet::task<int> fetch(const fetch::options& how);
/// ringlet-chat. Result: its exit status.
ringlet::task<int> chat(const chat::options& how);
/// ringlet-echo, until a signal comes.
ringlet::task<> echo(const echo::options& how);
/// ringlet-xfer serve, until it has been told to end by a signal and has drained.
ringlet::task<> xfer_serve(xfer::serve_options how);
/// ringlet-xfer get. Result: its exit status.
ringlet::task<int> xfer_get(const xfer::get_options& how);

}  // namespace programs
