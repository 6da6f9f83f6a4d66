// SPDX-License-Identifier: MIT
#pragma once

#include "xfer/protocol.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/net/tcp_stream.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace xfer {

/// The other side does not keep to the protocol.
class protocol_error : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

/// The protocol on a connection, which it borrows. It reads nothing beyond the frame that it is at, so that the bytes of data
/// frames can go another way.
///
/// Errors:    of all: protocol_error; std::system_error as recv(2) and send(2), net::errc::unexpected_end when the other side
///            closes, std::errc::timed_out when nothing comes for `timeout`; `cancelled`.
class channel {
public:
    channel(ringlet::net::tcp_stream& stream, std::chrono::nanoseconds timeout) noexcept
        : stream_{&stream}, timeout_{timeout} {}

    /// Waits for the other side's preamble. Result: its version.
    ringlet::task<std::uint16_t> hear_preamble();
    /// Waits for the next frame. Result: its type. See payload(); of a data frame the bytes come next.
    ringlet::task<frame_type> hear();
    /// Of the frame that `hear` gave, valid until the next.
    [[nodiscard]] std::string_view payload() const noexcept { return reader_.payload(); }
    /// How many bytes of the data frame are to come; 0: none.
    [[nodiscard]] std::size_t data_left() const noexcept { return reader_.within_data() ? reader_.missing() : 0; }
    /// So many of them have gone another way.
    void pass(std::size_t bytes) noexcept { reader_.pass(bytes); }

    /// Sends what `encode` gave.
    ringlet::task<> say(std::string_view bytes);

    [[nodiscard]] ringlet::net::tcp_stream& stream() const noexcept { return *stream_; }
    [[nodiscard]] std::chrono::nanoseconds timeout() const noexcept { return timeout_; }
    /// Whether anything has come.
    [[nodiscard]] bool heard() const noexcept { return heard_; }

private:
    ringlet::task<> until(frame_reader::event wanted, frame_reader::event or_this);

    ringlet::net::tcp_stream* stream_;
    std::chrono::nanoseconds timeout_;
    frame_reader reader_;
    bool heard_ = false;
};

}  // namespace xfer
