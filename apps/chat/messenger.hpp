// SPDX-License-Identifier: MIT
#pragma once

#include "chat/options.hpp"
#include "chat/refusals.hpp"
#include "chat/senders.hpp"
#include "chat/text.hpp"
#include "common/printer.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/udp_socket.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace chat {

/// Lines as datagrams, and datagrams as lines: each that comes is shown with its sender.
class messenger {
public:
    messenger(ringlet::net::udp_socket& socket, const options& how, apps::standard_printers& print)
        : socket_{socket},
          out_{print.out()},
          err_{print.err()},
          refused_{socket.socket(), print.err()},
          senders_{how.limit, print.err()},
          nick_{how.nick} {}

    /// Waits for room to show a datagram, then for one. Result: nullopt when it was empty, or what came was an error, which
    /// was said.
    ringlet::task<std::optional<ringlet::net::datagram>> receive();
    /// Shows the one that was received last, unless its sender is over the limit.
    void show(const ringlet::net::datagram& message);
    /// Whether `receive` would not wait.
    bool something_came() const noexcept;
    /// Sends a line in as many parts as it takes, each with the nick.
    ringlet::task<> send(std::string_view line, const ringlet::net::endpoint& to);
    /// Says which messages were refused since the last time.
    void report_refusals() { refused_.report(); }
    /// Says what is still to be said: totals.
    void finish();

    /// Notes that a line was not sent.
    void lose() noexcept { lost_any_ = true; }
    /// Whether a message could not be sent. One that was refused was sent: somebody may come and listen yet.
    bool lost_any() const noexcept { return lost_any_; }
    const senders& heard() const noexcept { return senders_; }
    const std::string& nick() const noexcept { return nick_; }
    void set_nick(std::string nick) { nick_ = std::move(nick); }

private:
    ringlet::task<> send_part(std::string_view text, const ringlet::net::endpoint& to);

    ringlet::net::udp_socket& socket_;
    apps::printer& out_;
    apps::printer& err_;
    refusals refused_;
    senders senders_;
    std::string nick_;
    bool lost_any_ = false;
    std::array<std::byte, message_bytes_max> buffer_;
};

}  // namespace chat
