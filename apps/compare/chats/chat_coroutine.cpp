// SPDX-License-Identifier: MIT
// Two coroutines on one thread: one waits for what comes and prints it, the other waits for what is typed and sends it. They
// change places at a co_await and nowhere else, so nothing needs a lock. When the input ends, or on Ctrl-C, the other one is
// cancelled where it waits.
#include "chat/text.hpp"
#include "common/printer.hpp"
#include "compare/chats/chat.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/resolver.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/os/standard_input.hpp>
#include <ringlet/time/sleep.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>

#include <poll.h>

namespace comparison {
namespace {

namespace net = ringlet::net;

bool has_come(const net::udp_socket& socket) {
    pollfd what{socket.socket().get(), POLLIN, 0};
    return ringlet::io::sys::poll(&what, 1, 0) > 0;
}

class talk {
public:
    talk(net::udp_socket& socket, const net::endpoint& peer) : socket_{socket}, complaints_{peer} {
        print_.err().line(greeting(socket));
    }

    ringlet::task<> show_incoming() {
        for (;;) co_await show_next();
    }

    ringlet::task<> send_lines() {
        for (;;) {
            const auto line = co_await ringlet::as_result(input_.next());
            if (line && !*line) co_return;
            if (line) {
                for (const std::string_view message : messages_of(**line)) co_await send(message);
                continue;
            }
            if (line.error() != std::errc::message_size) throw std::system_error{line.error(), "standard input"};
            print_.err().line(complaints::too_long());
            sent_all_ = false;
        }
    }

    ringlet::task<int> finish() {
        while (has_come(socket_)) co_await show_next();
        co_await print_.finish();
        co_return sent_all_ ? 0 : 1;
    }

    ringlet::task<int> until_nobody_listens() {
        co_await print_.out().until_broken();
        const std::error_code why = print_.out().error();
        if (why != std::errc::broken_pipe) throw std::system_error{why, "standard output"};
        co_return 128 + SIGPIPE;
    }

private:
    // Waits for room first: who is cancelled between what came and its printing would lose it.
    ringlet::task<> show_next() {
        co_await print_.out().room();
        const auto got = co_await ringlet::as_result(socket_.recv_from(block_));
        if (got) {
            const auto text = std::span{block_}.first(got->size);
            for (const std::string& line : lines_of(got->from, text, got->full_size)) print_.out().line(line);
            co_return;
        }
        complain(got.error());
        if (got.error() != std::errc::connection_refused)
            co_await ringlet::sleep(std::chrono::milliseconds{10});  // memory is short
    }

    ringlet::task<> send(std::string_view message) {
        std::error_code error;
        for (int tries = 0; tries < send_tries; ++tries) {
            const auto sent = co_await ringlet::as_result(socket_.send(ringlet::as_bytes(message)));
            if (sent) co_return;
            error = sent.error();
            if (error != std::errc::connection_refused) break;
            complain(error);
        }
        print_.err().line(complaints_.not_sent(error));
        sent_all_ = false;
    }

    void complain(const std::error_code& refused) {
        if (const auto words = complaints_.refused(refused)) print_.err().line(*words);
    }

    net::udp_socket& socket_;
    complaints complaints_;
    apps::standard_printers print_;
    ringlet::line_reader input_{ringlet::standard_input()};
    std::array<std::byte, chat::message_bytes_max> block_;
    bool sent_all_ = true;
};

ringlet::task<int> until_told_to_end() {
    const int number = co_await ringlet::until_signal(SIGINT, SIGTERM);
    co_return 128 + number;
}

ringlet::task<int> run_chat(const chat_order& how) {
    const auto found = co_await net::resolve(how.host, how.peer_port);
    const net::endpoint peer = found.front();
    net::udp_socket socket = open_chat(peer, how.port);
    talk both{socket, peer};
    const auto end = co_await ringlet::first_of(until_told_to_end(), both.show_incoming(), both.send_lines(),
                                                both.until_nobody_listens());
    if (const int* const status = std::get_if<0>(&end)) co_return *status;
    if (const int* const status = std::get_if<3>(&end)) co_return *status;
    co_return co_await both.finish();
}

}  // namespace

int chat_coroutine(const chat_order& how) { return ringlet::run(run_chat, std::cref(how)); }

}  // namespace comparison
