// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/detail/file_call.hpp>

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <sys/socket.h>
#include <sys/uio.h>

namespace ringlet::io::detail {

/// Of a sendmsg or connect that has to wait. The caller's msghdr and address may be gone by then; its data and its control
/// message may not.
struct kept_message {
    msghdr header;
    std::vector<iovec> parts;
    sockaddr_storage name;
};

/// What the epoll engine has taken from the submission queue and not yet completed.
struct request {
    explicit request(const io_uring_sqe& asked) noexcept : sqe{asked} {}

    io_uring_sqe sqe;
    int watched = sqe.fd;                   // the descriptor to wait at
    int listed_at = -1;                     // the descriptor in whose list it is
    std::uint32_t wants = 0;                // epoll events that let it go on
    std::size_t moved = 0;                  // bytes so far: MSG_WAITALL
    std::unique_ptr<kept_message> message;  // of sendmsg and connect
    std::unique_ptr<file_call> call;        // with the pool of threads, not with epoll
    bool tcp = false;                       // multishot recv: of a TCP socket
    request* next_on_fd = nullptr;
    request* previous_on_fd = nullptr;
    request* next_in_bucket = nullptr;
};

/// What came of an attempt: an end with a result, or something to wait for.
struct attempt {
    enum class kind : std::uint8_t { done, wait, file };
    kind what = kind::done;
    std::int32_t res = 0;     ///< done: as in a CQE
    std::uint32_t flags = 0;  ///< done: as in a CQE
    std::uint32_t wants = 0;  ///< wait: epoll events
    bool drained = false;     ///< done, recv: a stream gave less than was asked for, so it is empty now
};

}  // namespace ringlet::io::detail
