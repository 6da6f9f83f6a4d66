// SPDX-License-Identifier: MIT
#pragma once

#include "chat/line_source.hpp"
#include "chat/messenger.hpp"
#include "common/printer.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/net/endpoint.hpp>

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace chat {

/// Two directions. Whoever writes is shown with their address; what we write goes to the peer, who is the first to write
/// when nobody was named.
class conversation {
public:
    /// `peer` may be unspecified.
    conversation(messenger& post, const ringlet::net::endpoint& peer, line_source& input, apps::printer& err)
        : post_{post}, peer_{peer}, input_{input}, err_{err} {}

    /// Shows what comes. Ends only when the input has ended and what it left unsent has gone to the first who wrote.
    ringlet::task<> show_incoming();
    /// Sends what is typed or piped, and does what it asks for, to its end. Without a peer it reads only so far ahead.
    ringlet::task<> send_lines();
    /// When both have ended: shows what has come already.
    ringlet::task<> finish();

private:
    static constexpr std::size_t unsent_bytes_max = std::size_t{64} * 1024;

    bool has_peer() const noexcept { return peer_ != ringlet::net::endpoint{}; }
    ringlet::task<> show_next();
    ringlet::task<> send_until_end();
    ringlet::task<> send(std::string_view line);
    ringlet::task<> keep_unsent(std::string line);
    ringlet::task<> send_unsent();
    void leave_unsent();
    void say_who() const;
    void set_nick(std::string_view wanted);

    messenger& post_;
    ringlet::net::endpoint peer_;
    line_source& input_;
    apps::printer& err_;
    std::deque<std::string> unsent_;  // lines from before there was a peer
    std::size_t unsent_bytes_ = 0;
    ringlet::net::drain all_sent_;  // as an event: begins when those lines have gone
    bool input_ended_ = false;
};

}  // namespace chat
