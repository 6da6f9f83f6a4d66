// SPDX-License-Identifier: MIT
#include "chat/conversation.hpp"

#include "chat/addresses.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/bytes.hpp>
#include <ringlet/io/engine.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/standard_input.hpp>
#include <ringlet/time/sleep.hpp>

#include <chrono>
#include <system_error>
#include <utility>

#include <poll.h>

namespace chat {
namespace {

namespace net = ringlet::net;
namespace sys = ringlet::io::sys;

bool something_to_receive(const net::udp_socket& socket) {
    pollfd what{socket.socket().get(), POLLIN, 0};
    return sys::poll(&what, 1, 0) > 0 && (what.revents & POLLIN) != 0;
}

}  // namespace

ringlet::task<> conversation::show_incoming() {
    while (!(input_ended_ && has_peer())) co_await show_next();
}

ringlet::task<> conversation::show_next() {
    auto received = co_await ringlet::as_result(socket_.recv_from(buffer_));
    if (!received) {
        // A datagram of ours was refused, or memory is short: neither ends a chat.
        if (refused_.report() == 0) co_await ringlet::sleep(std::chrono::milliseconds{10});
        co_return;
    }
    const net::datagram message = *received;
    if (message.full_size == 0) co_return;
    const net::endpoint sender = without_mapping(message.from);
    const bool first = !has_peer();
    if (first) {
        err_.say("Talking to {}, who wrote first.", sender);
        peer_ = message.from;
    }
    const auto text = ringlet::as_text(std::span{buffer_}.first(message.size));
    for (const std::string& line : shown(text, message.full_size)) {
        co_await out_.room();
        out_.say("{}: {}", sender, line);
    }
    if (first) co_await send_unsent();
}

ringlet::task<> conversation::send_lines() {
    ringlet::line_reader input{ringlet::standard_input()};
    for (;;) {
        auto line = co_await ringlet::as_result(input.next());
        if (!line) {
            if (line.error() != std::errc::message_size) throw std::system_error{line.error(), "standard input"};
            err_.say("A line of more than {} bytes was not sent.", ringlet::line_reader::line_bytes_default);
            unsendable_ = true;
            continue;
        }
        if (!*line) break;
        if (has_peer() && unsent_.empty())
            co_await send(**line);
        else
            co_await keep_unsent(**std::move(line));
    }
    input_ended_ = true;
    if (!unsent_.empty()) {
        if (!has_peer())
            err_.say("End of input; waiting for somebody to send {} to. Ctrl-C leaves.",
                     unsent_.size() == 1 ? "the line" : "the lines");
        co_await ringlet::sleep_until(ringlet::io::no_deadline);  // show_incoming ends first
    }
}

// What nobody takes yet must not fill the memory: the rest of the input stays where it is.
ringlet::task<> conversation::keep_unsent(std::string line) {
    unsent_bytes_ += line.size() + 1;
    unsent_.push_back(std::move(line));
    if (unsent_bytes_ < unsent_bytes_max) co_return;
    if (!has_peer())
        err_.say("{} lines wait for somebody to send them to; more is read when they have gone.", unsent_.size());
    co_await all_sent_.wait_begun();
}

ringlet::task<> conversation::finish() {
    refused_.report();
    while (something_to_receive(socket_)) co_await show_next();
    refused_.finish();
}

ringlet::task<> conversation::send_unsent() {
    while (!unsent_.empty()) {
        co_await send(unsent_.front());
        unsent_.pop_front();  // only now: what is typed meanwhile queues up behind it
    }
    all_sent_.begin();
}

ringlet::task<> conversation::send(std::string_view line) {
    const auto parts = messages_of(line);
    if (parts.size() > 1)
        err_.say("A line of {} bytes is sent in {} parts: a message has at most {} bytes.", line.size(), parts.size(),
                 message_bytes_max);
    for (const auto part : parts) co_await send_part(part);
}

ringlet::task<> conversation::send_part(std::string_view text) {
    std::error_code error;
    for (int tries = 0; tries < 4; ++tries) {
        const auto sent = co_await ringlet::as_result(socket_.send_to(ringlet::as_bytes(text), peer_));
        if (sent) co_return;
        error = sent.error();
        // It may be that of an earlier datagram, which the kernel tells at the first opportunity.
        if (refused_.report() == 0 && error != std::errc::connection_refused) break;
    }
    err_.say("Not sent to {}: {}", without_mapping(peer_), error.message());
    unsendable_ = true;
}

}  // namespace chat
