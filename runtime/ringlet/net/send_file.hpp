// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace ringlet::net {

/// Who takes what is sent, and whether it is taken. The limit is for progress, not for the whole: a slow reader is served, one
/// who stands still is not. Borrows the socket. Thread: the loop's thread only.
class send_progress {
public:
    send_progress(io::fd_ref socket, std::chrono::nanoseconds limit) noexcept;

    /// When to ask next whether it goes on.
    [[nodiscard]] deadline look() const noexcept { return look_; }
    /// So many bytes more have been given to the socket.
    void handed_over(std::size_t bytes) noexcept { handed_over_ += static_cast<std::int64_t>(bytes); }
    /// False: nothing was confirmed since the last look.
    [[nodiscard]] bool goes_on() noexcept;
    /// Throws std::errc::timed_out, "send". The kernel would keep what the reader has not taken, and try for minutes: closing
    /// the socket resets the connection from now on.
    [[noreturn]] void stalled() const;

    [[nodiscard]] io::fd_ref socket() const noexcept { return socket_; }

private:
    io::fd_ref socket_;
    std::chrono::nanoseconds limit_;
    deadline look_;
    std::int64_t handed_over_ = 0;
    std::optional<std::int64_t> confirmed_before_;
};

/// Bytes that were sent and that the peer has not confirmed; 0 once it has reset the connection. On a Unix socket, the memory
/// of what it has not read.
[[nodiscard]] int unconfirmed_bytes(io::fd_ref socket) noexcept;

/// Which part of an open file was in memory a moment ago: who sends it often need not ask each time. What the kernel has
/// just used it does not drop within a tenth of a second.
class seen_pages {
public:
    [[nodiscard]] bool cover(std::uint64_t offset, std::uint64_t bytes) const noexcept;
    void add(std::uint64_t offset, std::uint64_t bytes) noexcept;

private:
    std::uint64_t begin_ = 0;
    std::uint64_t end_ = 0;
    deadline until_{};
};

/// Sends bytes of a file to a socket without copying them (sendfile(2)), as long as they are in memory, and waits for the
/// socket. Adds what has been sent to `sent` as it goes. With `seen`, the file's, it asks for pages ten times a second only.
///
/// Result:    nothing; fewer than `bytes` were sent: the next are not in memory, or it cannot be told (before Linux 6.5), or
///            the file has ended.
/// Errors:    std::system_error as sendfile(2), "send"; std::errc::timed_out when the reader stands still; `cancelled`.
/// Lifetime:  borrows everything until the co_await ends. Nobody else may send meanwhile.
/// Thread:    the loop's thread only.
/// Maps to:   cachestat(2), sendfile(2), IORING_OP_POLL_ADD.
task<> send_file_from_memory(send_progress& to, io::fd_ref file, std::uint64_t offset, std::uint64_t bytes,
                             std::uint64_t& sent, seen_pages* seen = nullptr);

/// The same, and what is not in memory is read by the ring first.
///
/// Result:    nothing; fewer than `bytes` were sent: the file has ended.
/// Errors:    as send_file_from_memory, and as pread(2), "read".
task<> send_file(send_progress& to, io::fd_ref file, std::uint64_t offset, std::uint64_t bytes, std::uint64_t& sent);

}  // namespace ringlet::net
