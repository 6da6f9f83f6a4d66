// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>

namespace ringlet::os {

/// Waits until a descriptor can be read: a pipe, a terminal, a socket, an eventfd. A regular file always can.
///
/// Errors:    std::system_error as poll(2); `cancelled`.
/// Lifetime:  the descriptor stays open until the co_await ends.
/// Thread:    the loop's thread only. Who shares the descriptor may be faster: read without blocking afterwards.
/// Maps to:   IORING_OP_POLL_ADD, io_uring_prep_poll_add(3); for a terminal whose wait the kernel breaks off, that on an
///            epoll(7) descriptor around it.
task<> readable(io::fd_ref fd);

/// As `readable`, until it can be written.
task<> writable(io::fd_ref fd);

}  // namespace ringlet::os
