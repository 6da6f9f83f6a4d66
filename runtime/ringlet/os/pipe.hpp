// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/bytes.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/write.hpp>
#include <ringlet/io/op/write_all.hpp>
#include <ringlet/io/private_fd.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace ringlet::os {

/// The end of a pipe that is read. Move-only; the destructor closes. A forked child does not get it.
/// A `line_reader` takes it: `line_reader lines{os::input{reader.descriptor()}}`.
class pipe_reader {
public:
    pipe_reader() noexcept = default;
    explicit pipe_reader(io::owned_fd descriptor) noexcept : fd_{std::move(descriptor)} {}

    /// Reads what is there, or waits; 0 when every writing end is closed. See io::read_op.
    auto read(std::span<std::byte> buffer) noexcept { return io::read_op{fd_, buffer}; }

    /// Everything to the end.
    /// Errors: std::system_error as read(2), std::errc::message_size for more than `bytes_max`; `cancelled`. Then what was
    /// read is lost.
    task<std::string> read_all(std::size_t bytes_max = std::size_t{1} << 30);

    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
    io::fd_ref descriptor() const noexcept { return fd_; }
    /// Closes now. Nothing may be in flight.
    void close() noexcept { fd_.reset(); }

private:
    io::private_fd fd_;
};

/// The end of a pipe that is written. Otherwise as pipe_reader.
/// A pipe that nobody reads any more raises SIGPIPE: who makes one has it ignored first, as run_main and `popen` do.
class pipe_writer {
public:
    pipe_writer() noexcept = default;
    explicit pipe_writer(io::owned_fd descriptor) noexcept : fd_{std::move(descriptor)} {}

    /// Writes what the pipe takes at once, or waits. See io::write_op.
    auto write(std::span<const std::byte> bytes) noexcept { return io::write_op{fd_, bytes}; }
    /// Writes all. Errors: EPIPE when nobody reads any more. See io::write_all_op.
    auto write_all(std::span<const std::byte> bytes) noexcept { return io::write_all_op{fd_, bytes}; }

    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
    io::fd_ref descriptor() const noexcept { return fd_; }
    /// Closes now: the reader sees the end. Nothing may be in flight.
    void close() noexcept { fd_.reset(); }

private:
    io::private_fd fd_;
};

}  // namespace ringlet::os
