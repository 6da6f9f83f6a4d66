// SPDX-License-Identifier: MIT
#include "chat/messenger.hpp"

#include "chat/addresses.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/bytes.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/time/sleep.hpp>

#include <chrono>
#include <span>
#include <system_error>

#include <poll.h>

namespace chat {

namespace net = ringlet::net;
namespace sys = ringlet::io::sys;

ringlet::task<std::optional<net::datagram>> messenger::receive() {
    // Before, and not after: who is cancelled between what came and its showing would lose it.
    co_await out_.room();
    const auto received = co_await ringlet::as_result(socket_.recv_from(buffer_));
    if (!received) {
        // A datagram of ours was refused, or memory is short: neither ends a chat.
        if (refused_.report() == 0) co_await ringlet::sleep(std::chrono::milliseconds{10});
        co_return std::nullopt;
    }
    if (received->full_size == 0) co_return std::nullopt;
    co_return *received;
}

void messenger::show(const net::datagram& message) {
    const net::endpoint sender = without_mapping(message.from);
    if (!senders_.heard(sender)) return;
    const auto text = ringlet::as_text(std::span{buffer_}.first(message.size));
    for (const std::string& line : shown(text, message.full_size)) out_.say("{}: {}", sender, line);
}

bool messenger::something_came() const noexcept {
    pollfd what{socket_.socket().get(), POLLIN, 0};
    return sys::poll(&what, 1, 0) > 0 && (what.revents & POLLIN) != 0;
}

ringlet::task<> messenger::send(std::string_view line, const net::endpoint& to) {
    const std::string before = nick_.empty() ? std::string{} : nick_ + ": ";
    const auto parts = messages_of(line, message_bytes_max - before.size());
    if (parts.size() > 1)
        err_.say("A line of {} bytes is sent in {} parts: a message has at most {} bytes.", line.size(), parts.size(),
                 message_bytes_max);
    for (const auto part : parts) {
        const std::string text = before + std::string{part};
        co_await send_part(text, to);
    }
}

ringlet::task<> messenger::send_part(std::string_view text, const net::endpoint& to) {
    std::error_code error;
    for (int tries = 0; tries < 4; ++tries) {
        const auto sent = co_await ringlet::as_result(socket_.send_to(ringlet::as_bytes(text), to));
        if (sent) co_return;
        error = sent.error();
        // It may be that of an earlier datagram, which the kernel tells at the first opportunity.
        if (refused_.report() == 0 && error != std::errc::connection_refused) break;
    }
    err_.say("Not sent to {}: {}", without_mapping(to), error.message());
    lost_any_ = true;
}

void messenger::finish() {
    refused_.finish();
    senders_.finish();
}

}  // namespace chat
