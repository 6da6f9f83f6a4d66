// SPDX-License-Identifier: MIT
#pragma once

#include "chat/messenger.hpp"
#include "common/printer.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/os/standard_input.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace chat {

/// The course's menu: 1 sends a message, and asks each time to whom; 2 receives; 3 leaves, as the end of the input does.
class menu {
public:
    /// `local`: the socket's address.
    menu(messenger& post, const ringlet::net::endpoint& local, apps::standard_printers& print)
        : post_{post}, local_{local}, out_{print.out()}, err_{print.err()} {}

    /// Asks, and does it, until it is left.
    ringlet::task<> run();

private:
    ringlet::task<std::optional<std::string>> ask(std::string_view question);
    ringlet::task<bool> send();
    ringlet::task<> receive();

    messenger& post_;
    ringlet::net::endpoint local_;
    apps::printer& out_;
    apps::printer& err_;
    ringlet::line_reader input_{ringlet::standard_input()};
};

}  // namespace chat
