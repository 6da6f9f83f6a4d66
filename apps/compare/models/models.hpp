// SPDX-License-Identifier: MIT
#pragma once

#include "compare/site.hpp"
#include <ringlet/net/tcp_listener.hpp>

/// One server, eight ways to wait. Each serves until the process is ended; they throw std::system_error when they cannot
/// go on. What they do for a request is in exchange.hpp, the same for all.
namespace comparison {

void serve_sequential(ringlet::net::tcp_listener& listener, const site& pages);
void serve_process(ringlet::net::tcp_listener& listener, const site& pages);
void serve_thread(ringlet::net::tcp_listener& listener, const site& pages);
void serve_threadpool(ringlet::net::tcp_listener& listener, const site& pages);
void serve_nonblocking(ringlet::net::tcp_listener& listener, const site& pages);
void serve_epoll(ringlet::net::tcp_listener& listener, const site& pages);
void serve_uring(ringlet::net::tcp_listener& listener, const site& pages);
void serve_coroutine(ringlet::net::tcp_listener& listener, const site& pages);

}  // namespace comparison
