// SPDX-License-Identifier: MIT
#include "xfer/channel.hpp"

#include <ringlet/core/bytes.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/time/timeout.hpp>

#include <algorithm>
#include <span>

namespace xfer {
namespace {

constexpr std::size_t block_bytes = 1024;

}  // namespace

ringlet::task<> channel::until(frame_reader::event wanted, frame_reader::event or_this) {
    using event = frame_reader::event;
    std::array<std::byte, block_bytes> block;
    for (event found = event::need_more; found != wanted && found != or_this;) {
        const auto part = std::span{block}.first(std::min(block.size(), reader_.missing()));
        const std::size_t got = co_await ringlet::with_timeout(timeout_, stream_->recv(part));
        if (got == 0)
            throw std::system_error{ringlet::net::errc::unexpected_end, "the other side closed the connection"};
        heard_ = true;
        // What was missing is what was read, so each read gives one event.
        found = reader_.feed(part.first(got)).what;
        if (found == event::error) throw protocol_error{std::string{reader_.what()}};
    }
}

ringlet::task<std::uint16_t> channel::hear_preamble() {
    co_await until(frame_reader::event::preamble, frame_reader::event::preamble);
    co_return reader_.version();
}

ringlet::task<frame_type> channel::hear() {
    co_await until(frame_reader::event::frame, frame_reader::event::data);
    co_return reader_.type();
}

ringlet::task<> channel::say(std::string_view bytes) {
    co_await ringlet::with_timeout(timeout_, stream_->send_all(ringlet::as_bytes(bytes)));
}

}  // namespace xfer
