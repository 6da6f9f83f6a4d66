// SPDX-License-Identifier: MIT
#include "chat/menu.hpp"

#include "chat/addresses.hpp"
#include "common/sanitize.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/resolver.hpp>

#include <system_error>

namespace chat {
namespace {

namespace net = ringlet::net;

std::string safe(std::string_view text) { return apps::sanitize(text, apps::text_context::field, 60); }

}  // namespace

ringlet::task<> menu::run() {
    for (;;) {
        out_.put("1 send\n2 receive\n3 quit\n");
        const auto choice = co_await ask("Choice: ");
        if (!choice || *choice == "3") co_return;
        if (*choice == "1") {
            const bool going_on = co_await send();
            if (!going_on) co_return;
        } else if (*choice == "2") {
            co_await receive();
        } else {
            err_.say("1, 2 or 3, not '{}'.", safe(*choice));
        }
    }
}

// The answer without spaces at its ends; nullopt at the end of the input.
ringlet::task<std::optional<std::string>> menu::ask(std::string_view question) {
    for (;;) {
        out_.put(question);
        auto answer = co_await ringlet::as_result(input_.next());
        if (answer) {
            if (!*answer) co_return std::nullopt;
            std::string text = **std::move(answer);
            text.erase(0, text.find_first_not_of(" \t"));
            text.erase(text.find_last_not_of(" \t") + 1);
            co_return text;
        }
        if (answer.error() != std::errc::message_size) throw std::system_error{answer.error(), "standard input"};
        err_.say("A line has at most {} bytes.", ringlet::line_reader::line_bytes_default);
        post_.lose();
    }
}

// Result: false at the end of the input.
ringlet::task<bool> menu::send() {
    const auto host = co_await ask("Address: ");
    if (!host) co_return false;
    const auto port_text = co_await ask("Port: ");
    if (!port_text) co_return false;
    const auto message = co_await ask("Message: ");
    if (!message) co_return false;
    const auto port = net::parse_port(*port_text);
    if (host->empty() || !port || *port == 0) {
        if (host->empty())
            err_.line("Not sent: no address.");
        else
            err_.say("Not sent: '{}' is no port from 1 to 65535.", safe(*port_text));
        post_.lose();
        co_return true;
    }
    const auto found = co_await ringlet::as_result(net::resolve(*host, *port));
    if (!found) {
        err_.say("Not sent: {}: {}", safe(*host), found.error().message());
        post_.lose();
        co_return true;
    }
    co_await post_.send(*message, as_taken_by(local_, found->front()));
    post_.report_refusals();
    co_return true;
}

// What has come already; when nothing has, what comes next.
ringlet::task<> menu::receive() {
    if (!post_.something_came()) err_.say("Waiting at port {} for a message. Ctrl-C leaves.", local_.port());
    bool shown = false;
    while (!shown || post_.something_came()) {
        const auto message = co_await post_.receive();
        if (!message) continue;
        post_.show(*message);
        shown = true;
    }
}

}  // namespace chat
