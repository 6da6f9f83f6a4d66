// SPDX-License-Identifier: MIT
#pragma once

#include "chat/refusals.hpp"
#include "chat/text.hpp"
#include "common/printer.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/udp_socket.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace chat {

/// Two directions over one socket. Whoever writes is shown with their address; what we write goes to the peer, who is
/// the first to write when nobody was named.
class conversation {
public:
    /// `peer` may be unspecified.
    conversation(ringlet::net::udp_socket& socket, const ringlet::net::endpoint& peer, apps::standard_printers& print)
        : socket_{socket}, out_{print.out()}, err_{print.err()}, refused_{socket.socket(), print.err()}, peer_{peer} {}

    /// Shows what comes. Ends only when the input has ended and what it left unsent has gone to the first who wrote.
    ringlet::task<> show_incoming();
    /// Sends what is typed or piped, to its end. Without a peer it reads only so far ahead.
    ringlet::task<> send_lines();
    /// When both have ended: shows what has come already.
    ringlet::task<> finish();
    /// Whether a message could not be sent. One that was refused was sent: somebody may come and listen yet.
    bool lost_any() const noexcept { return unsendable_; }

private:
    static constexpr std::size_t unsent_bytes_max = std::size_t{64} * 1024;

    bool has_peer() const noexcept { return peer_ != ringlet::net::endpoint{}; }
    ringlet::task<> show_next();
    ringlet::task<> keep_unsent(std::string line);
    ringlet::task<> send(std::string_view line);
    ringlet::task<> send_part(std::string_view text);
    ringlet::task<> send_unsent();

    ringlet::net::udp_socket& socket_;
    apps::printer& out_;
    apps::printer& err_;
    refusals refused_;
    ringlet::net::endpoint peer_;
    std::deque<std::string> unsent_;  // lines from before there was a peer
    std::size_t unsent_bytes_ = 0;
    ringlet::net::drain all_sent_;  // as an event: begins when those lines have gone
    bool input_ended_ = false;
    bool unsendable_ = false;
    std::array<std::byte, message_bytes_max> buffer_;
};

}  // namespace chat
