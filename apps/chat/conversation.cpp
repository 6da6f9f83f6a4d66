// SPDX-License-Identifier: MIT
#include "chat/conversation.hpp"

#include "chat/addresses.hpp"
#include "chat/commands.hpp"
#include "common/sanitize.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/engine.hpp>
#include <ringlet/os/standard_input.hpp>
#include <ringlet/time/sleep.hpp>

#include <system_error>
#include <utility>

namespace chat {

namespace net = ringlet::net;

ringlet::task<> conversation::show_incoming() {
    while (!(input_ended_ && has_peer())) co_await show_next();
}

ringlet::task<> conversation::show_next() {
    const auto message = co_await post_.receive();
    if (!message) co_return;
    const bool first = !has_peer();
    if (first) {
        err_.say("Talking to {}, who wrote first.", without_mapping(message->from));
        peer_ = message->from;
    }
    post_.show(*message);
    if (first) co_await send_unsent();
}

ringlet::task<> conversation::send_lines() {
    co_await send_until_end();
    input_ended_ = true;
    if (unsent_.empty()) co_return;
    if (input_.is_typed()) {
        leave_unsent();
        co_return;
    }
    if (!has_peer())
        err_.say("End of input; waiting for somebody to send {} to. Ctrl-C leaves.",
                 unsent_.size() == 1 ? "the line" : "the lines");
    co_await ringlet::sleep_until(ringlet::io::no_deadline);  // show_incoming ends first
}

ringlet::task<> conversation::send_until_end() {
    for (;;) {
        const auto line = co_await ringlet::as_result(input_.next());
        if (!line) {
            if (line.error() != std::errc::message_size) throw std::system_error{line.error(), "standard input"};
            err_.say("A line of more than {} bytes was not sent.", ringlet::line_reader::line_bytes_default);
            post_.lose();
            continue;
        }
        if (!*line) co_return;
        const command wanted = parse_command(**line);
        switch (wanted.what) {
            case command::kind::message:
                co_await send(wanted.text);
                break;
            case command::kind::quit:
                co_return;
            case command::kind::help:
                for (const auto text : command_help) err_.line(text);
                break;
            case command::kind::who:
                say_who();
                break;
            case command::kind::nick:
                set_nick(wanted.text);
                break;
            case command::kind::unknown:
                err_.say("Not sent: no such command: {} (/help names them; // sends a slash)",
                         apps::sanitize(wanted.text, apps::text_context::text, 60));
                post_.lose();
                break;
        }
    }
}

ringlet::task<> conversation::send(std::string_view line) {
    if (has_peer() && unsent_.empty())
        co_await post_.send(line, peer_);
    else if (!line.empty())
        co_await keep_unsent(std::string{line});
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

ringlet::task<> conversation::send_unsent() {
    while (!unsent_.empty()) {
        co_await post_.send(unsent_.front(), peer_);
        unsent_.pop_front();  // only now: what is typed meanwhile queues up behind it
    }
    all_sent_.begin();
}

void conversation::leave_unsent() {
    err_.say("{} not sent: nobody has written.",
             unsent_.size() == 1 ? "1 line was" : fmt::format("{} lines were", unsent_.size()));
    post_.lose();
}

void conversation::say_who() const {
    const net::endpoint peer = without_mapping(peer_);
    if (has_peer())
        err_.say("Talking to {}.", post_.heard().describe(peer));
    else
        err_.line("Talking to nobody yet: whoever writes first.");
    for (const std::string& line : post_.heard().describe_others(peer)) err_.say("Also heard: {}", line);
}

void conversation::set_nick(std::string_view wanted) {
    if (!wanted.empty()) {
        post_.set_nick(clean_nick(wanted));
        input_.set_nick(post_.nick());
    }
    if (post_.nick().empty())
        err_.line("No nick: lines are sent as they are.");
    else
        err_.say("The nick is {}.", post_.nick());
}

ringlet::task<> conversation::finish() {
    post_.report_refusals();
    while (post_.something_came()) co_await show_next();
    post_.finish();
}

}  // namespace chat
