// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/tcp_stream.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringlet::net {

/// Reads lines and messages from a stream that it borrows. While nothing is unread it holds no buffer; while it waits
/// for the rest of a message it holds what has come of it, and none of the loop's buffers, so that slow peers cannot
/// take them all.
///
/// No byte is lost: a read that is cancelled or times out leaves what has come for the next one. Errors of the stream
/// are thrown as std::system_error. One read at a time. Thread: the loop's thread only.
class stream_reader {
public:
    explicit stream_reader(tcp_stream& stream) noexcept : stream_{&stream} {}

    /// A line, without its end: LF or CR LF. The last line may lack it.
    /// Result: nullopt at the end of the stream. Errors: errc::too_long when more than `bytes_max` bytes come without a
    /// line end; they stay unread.
    task<std::optional<std::string>> line(std::size_t bytes_max = 8192);

    /// What comes before `delimiter`, which is not empty; the delimiter is read, too, and left out.
    /// Result: nullopt at the end of the stream. Errors: errc::unexpected_end when the stream ends without a delimiter
    /// after some bytes; errc::too_long as for `line`. The bytes stay unread in both cases.
    task<std::optional<std::string>> until(std::string_view delimiter, std::size_t bytes_max = 65536);

    /// Fills `into`, or nothing of it.
    /// Result: false at the end of the stream. Errors: errc::unexpected_end when the stream ends in the middle; what
    /// came stays unread. Holds all the bytes until the last has come: for bodies use read_some.
    task<bool> exact(std::span<std::byte> into);

    /// What is there, 1 byte or more, at most into.size(); waits only when nothing is unread.
    /// Result: bytes read; 0 at the end of the stream.
    task<std::size_t> read_some(std::span<std::byte> into);

    /// Waits until `bytes` or more are unread. Result: false when the stream ended before.
    task<bool> want(std::size_t bytes);

    /// Waits for more bytes than are unread now. Result: false at the end of the stream.
    task<bool> receive();

    /// The unread bytes; valid until the next read.
    std::span<const std::byte> peek() const noexcept {
        return grown_.empty() ? std::span<const std::byte>{lease_.bytes()} : std::span{grown_}.subspan(begin_);
    }
    /// Marks the first `bytes` of `peek()` as read.
    void consume(std::size_t bytes) noexcept;

private:
    void store(io::buffer_lease lease);

    tcp_stream* stream_;
    io::buffer_lease lease_;        // either this holds the unread bytes
    std::vector<std::byte> grown_;  // or this does, from begin_ on
    std::size_t begin_ = 0;
};

}  // namespace ringlet::net
