// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/bytes.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ringlet {
namespace os {

/// A descriptor that somebody else owns and shares, such as standard input: a terminal, pipe, socket, file or device.
/// Its flags are left alone: O_NONBLOCK would change it for every process that has it.
class input {
public:
    explicit input(io::fd_ref descriptor) noexcept : fd_{descriptor} {}

    /// Reads what is there, or waits.
    ///
    /// Result:    bytes read, 1 or more; 0 at the end.
    /// Errors:    std::system_error as read(2); `cancelled`, and then nothing was read, but from a file.
    /// Lifetime:  borrows `buffer` until the co_await ends.
    /// Thread:    the loop's thread only. Should another process read the same terminal or pipe and be faster, the
    ///            loop waits for the next bytes.
    /// Maps to:   IORING_OP_POLL_ADD and read(2); IORING_OP_READ for regular files.
    task<std::size_t> read(std::span<std::byte> buffer);

    io::fd_ref descriptor() const noexcept { return fd_; }

private:
    io::fd_ref fd_;
};

}  // namespace os

/// The program's standard input.
inline os::input standard_input() noexcept { return os::input{io::fd_ref{0}}; }

/// Reads lines. LF ends a line, and so does CR LF; neither is part of it. The last line may lack it.
class line_reader {
public:
    static constexpr std::size_t line_bytes_default = 64 * 1024;

    explicit line_reader(os::input from, std::size_t line_bytes_max = line_bytes_default) noexcept
        : input_{from}, bytes_max_{detail::clamped_limit(line_bytes_max)} {}

    /// The next line.
    ///
    /// Result:    the line; nullopt at the end of the input, however often it is asked for.
    /// Errors:    std::system_error: as read(2), or std::errc::message_size when a line is longer than the limit; then
    ///            the next call gives the line after it. `cancelled`, and then no byte is lost.
    /// Thread:    the loop's thread only. One call at a time.
    task<std::optional<std::string>> next();

private:
    static constexpr std::size_t block_bytes = 4096;

    std::string take(std::size_t end);
    [[noreturn]] void raise_too_long() const;

    os::input input_;
    std::size_t bytes_max_;
    std::vector<std::byte> block_;
    std::string unread_;
    std::size_t begin_ = 0;
    bool skipping_ = false;  // the rest of a line that was too long
    bool ended_ = false;
};

}  // namespace ringlet
