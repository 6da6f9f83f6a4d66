// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/op/fsync.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/read_full.hpp>
#include <ringlet/io/op/write.hpp>
#include <ringlet/io/op/write_all.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <fcntl.h>

namespace ringlet::fs {

/// How a file is opened: open(2)'s flags, to which O_CLOEXEC is always added, the permissions of a new one, and
/// openat2(2)'s rules for the path, e.g. RESOLVE_BENEATH.
class open_options {
public:
    explicit open_options(int flags) noexcept : flags_{flags} {}
    static open_options read() noexcept { return open_options{O_RDONLY}; }
    static open_options write() noexcept { return open_options{O_WRONLY}; }
    static open_options read_write() noexcept { return open_options{O_RDWR}; }
    /// For writing; made when missing, emptied when not.
    static open_options create() noexcept { return open_options{O_WRONLY | O_CREAT | O_TRUNC}; }
    /// For writing; made, and an error (EEXIST) when there is one.
    static open_options create_new() noexcept { return open_options{O_WRONLY | O_CREAT | O_EXCL}; }

    open_options flags(int more) const noexcept { return open_options{flags_ | more, permissions_, resolve_, at_}; }
    open_options permissions(unsigned bits) const noexcept { return open_options{flags_, bits, resolve_, at_}; }
    open_options resolve(std::uint64_t rules) const noexcept { return open_options{flags_, permissions_, rules, at_}; }
    /// Relative paths begin at this directory, which must stay open.
    open_options at(io::fd_ref directory) const noexcept {
        return open_options{flags_, permissions_, resolve_, directory.get()};
    }

    int flags() const noexcept { return flags_; }
    unsigned permissions() const noexcept { return permissions_; }
    std::uint64_t resolve() const noexcept { return resolve_; }
    int directory() const noexcept { return at_; }

private:
    open_options(int flags, unsigned permissions, std::uint64_t resolve, int at) noexcept
        : flags_{flags}, permissions_{permissions}, resolve_{resolve}, at_{at} {}
    int flags_;
    unsigned permissions_ = 0666;
    std::uint64_t resolve_ = 0;
    int at_ = AT_FDCWD;
};

/// An open file. Move-only, one descriptor; the destructor closes. Requests without an offset use and move the file's
/// own position: one of those at a time. Offsets and sizes beyond 2^63 - 1 are an error (EINVAL).
class file {
public:
    /// Takes over a descriptor.
    explicit file(io::owned_fd descriptor) noexcept : fd_{std::move(descriptor)} {}

    /// Reads what comes at once, 0 at the end. See io::read_op.
    auto read(std::span<std::byte> buffer) noexcept { return io::read_op{fd_, buffer}; }
    auto read(std::span<std::byte> buffer, std::uint64_t offset) noexcept {
        return io::read_op{fd_, buffer, at(offset)};
    }

    /// Fills the buffer; gives less only at the end of the file. See io::read_full_op.
    auto read_full(std::span<std::byte> buffer) noexcept { return io::read_full_op{fd_, buffer}; }
    auto read_full(std::span<std::byte> buffer, std::uint64_t offset) noexcept {
        return io::read_full_op{fd_, buffer, at(offset)};
    }

    /// Everything from `offset` 0 to the end, whatever size the file says it has.
    /// Errors: std::system_error as pread(2), EFBIG for more than `bytes_max`: at once when a regular file says so.
    task<std::string> read_all(std::size_t bytes_max = std::size_t{1} << 30);

    /// Writes what the kernel takes at once. See io::write_op.
    auto write(std::span<const std::byte> bytes) noexcept { return io::write_op{fd_, bytes}; }
    auto write(std::span<const std::byte> bytes, std::uint64_t offset) noexcept {
        return io::write_op{fd_, bytes, at(offset)};
    }

    /// Writes all. See io::write_all_op.
    auto write_all(std::span<const std::byte> bytes) noexcept { return io::write_all_op{fd_, bytes}; }
    auto write_all(std::span<const std::byte> bytes, std::uint64_t offset) noexcept {
        return io::write_all_op{fd_, bytes, at(offset)};
    }

    /// Size in bytes. Does not wait: fstat(2) of an open file needs no disk. Throws std::system_error.
    std::uint64_t size() const;

    /// Cuts or extends the file. On a thread of the pool: ftruncate(2).
    task<> truncate(std::uint64_t size);

    /// Makes data and size durable. See io::fsync_op.
    auto sync() noexcept { return io::fsync_op{fd_}; }

    /// Reserves disk space for the first `size` bytes, so that running out shows now (ENOSPC). Result: false where the
    /// file system cannot; then nothing was done. A size of 0 reserves nothing. Errors: std::system_error as fallocate(2);
    /// `cancelled`.
    task<bool> allocate(std::uint64_t size);
    /// The same, but the file's own size stays what it is: it goes on telling how much has been written.
    task<bool> reserve(std::uint64_t size);

    /// Closes and reports what only close(2) reports, such as a late write error on a network file system. Without it
    /// the destructor closes.
    task<> close();

    io::fd_ref descriptor() const noexcept { return fd_; }

private:
    task<bool> allocate(std::uint64_t size, int mode);
    // What is no offset becomes one that the kernel refuses: 2^64 - 1 would be -1, the file's own position.
    static std::int64_t at(std::uint64_t offset) noexcept {
        constexpr auto offset_max = std::numeric_limits<std::int64_t>::max();
        return offset <= std::uint64_t{offset_max} ? static_cast<std::int64_t>(offset) : -offset_max;
    }
    io::owned_fd fd_;
};

/// Opens a file.
///
/// Result:    the file.
/// Errors:    std::system_error as openat2(2), "open PATH: No such file or directory"; `cancelled`. A FIFO that nobody
///            reads cannot be opened for writing (ENXIO), where open(2) would wait: io_uring tries without waiting first.
///            Open it for reading and writing, or with open(2) on a thread (`offload`).
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_OPENAT2.
task<file> open(std::string path, open_options options = open_options::read());

/// As `open`, but a file that is not there (ENOENT, ENOTDIR) is a value: nullopt.
task<std::optional<file>> try_open(std::string path, open_options options = open_options::read());

/// Opens a file for writing: made when missing, emptied when not.
inline task<file> create(std::string path) { return open(std::move(path), open_options::create()); }

}  // namespace ringlet::fs
