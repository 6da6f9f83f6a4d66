// SPDX-License-Identifier: MIT
// A chat over UDP: one job shows what comes, one sends what is typed, one sees to the terminal; the first to end stops the
// others.
// Try, in two terminals:  ringlet-chat       and  ringlet-chat 127.0.0.1 7778
#include "chat/addresses.hpp"
#include "chat/conversation.hpp"
#include "chat/menu.hpp"
#include "chat/messenger.hpp"
#include "chat/options.hpp"
#include "chat/piped_input.hpp"
#include "chat/terminal/console.hpp"
#include "common/engine_line.hpp"
#include "common/printer.hpp"
#include "common/sanitize.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/engine.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/resolver.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <system_error>
#include <variant>

#include <unistd.h>

namespace {

namespace net = ringlet::net;
namespace sys = ringlet::io::sys;

// Says what is waited for, once it is worth a word; then it only waits.
ringlet::task<> tell_of_waiting(const std::string& host, apps::printer& err) {
    co_await ringlet::sleep(std::chrono::milliseconds{100});
    err.say("resolving {} ...", apps::sanitize(host, apps::text_context::field));
    co_await ringlet::sleep_until(ringlet::io::no_deadline);
}

ringlet::task<net::endpoint> find_peer(const chat::options& how, apps::printer& err) {
    if (how.host.empty()) co_return net::endpoint{};
    const auto found =
        co_await ringlet::first_of(net::resolve(how.host, how.peer_port), tell_of_waiting(how.host, err));
    co_return std::get<0>(found).front();
}

void greet(const net::endpoint& own, const net::endpoint& peer, bool typing, apps::printer& err) {
    if (peer == net::endpoint{})
        err.say("Waiting at port {} for somebody to write.", own.port());
    else
        err.say("Talking to {} from port {}.", peer, own.port());
    if (typing) err.line("Ctrl-D leaves; /help names the commands.");
}

ringlet::task<> until_nobody_listens(apps::printer& out) {
    co_await out.until_broken();
    throw std::system_error{out.error(), "standard output"};
}

std::unique_ptr<chat::line_source> open_input(const chat::options& how, apps::printer& out) {
    if (chat::can_edit_lines()) return std::make_unique<chat::console>(out, how.nick);
    return std::make_unique<chat::piped_input>();
}

ringlet::task<int> until_told_to_end() { return ringlet::until_signal(SIGINT, SIGTERM, SIGHUP, SIGQUIT); }

// Result: the signal that ended it, or 0.
ringlet::task<int> talk(const chat::options& how, net::udp_socket& socket, const net::endpoint& peer,
                        chat::messenger& post, apps::standard_printers& print) {
    greet(socket.local_endpoint(), peer, chat::can_edit_lines(), print.err());
    auto input = open_input(how, print.out());
    chat::conversation both{post, peer, *input, print.err()};
    const auto end = co_await ringlet::first_of(until_told_to_end(), both.show_incoming(), both.send_lines(),
                                                input->attend(), until_nobody_listens(print.out()));
    if (const int* number = std::get_if<0>(&end)) co_return *number;
    input.reset();  // the terminal is as it was
    const auto shown = co_await ringlet::first_of(until_told_to_end(), both.finish());
    if (const int* number = std::get_if<0>(&shown)) co_return *number;
    co_return 0;
}

ringlet::task<int> offer_menu(net::udp_socket& socket, chat::messenger& post, apps::standard_printers& print) {
    print.err().say("Messages to us arrive at port {}.", socket.local_endpoint().port());
    chat::menu choices{post, socket.local_endpoint(), print};
    const auto end = co_await ringlet::first_of(until_told_to_end(), choices.run(), until_nobody_listens(print.out()));
    if (sys::isatty(STDIN_FILENO) && sys::isatty(STDOUT_FILENO)) print.out().put("\n");  // behind a question
    if (const int* number = std::get_if<0>(&end)) co_return *number;
    post.report_refusals();
    post.finish();
    co_return 0;
}

ringlet::task<int> chat_until_end(const chat::options& how) {
    apps::standard_printers print;
    if (how.verbose) print.err().line(apps::engine_line());
    const net::endpoint peer = co_await find_peer(how, print.err());
    auto socket = chat::open_socket(how, peer);
    chat::messenger post{socket, how, print};
    int number = 0;
    if (how.menu)
        number = co_await offer_menu(socket, post, print);
    else
        number = co_await talk(how, socket, peer, post, print);
    if (number != 0) {  // what is printed already shall be seen, unless nobody looks
        (void)co_await ringlet::as_result(ringlet::with_timeout(std::chrono::milliseconds{200}, print.finish()));
        co_return 128 + number;
    }
    co_await print.finish();
    if (const auto unheard = print.out().error()) throw std::system_error{unheard, "standard output"};
    co_return post.lost_any() ? 1 : 0;
}

ringlet::task<int> chat_quietly(const chat::options& how) {
    const bool at_terminal = chat::can_edit_lines();
    try {
        co_return co_await chat_until_end(how);
    } catch (const std::system_error& error) {
        if (error.code() == std::errc::broken_pipe)  // nobody reads what we hear: `ringlet-chat | head`
            co_return 128 + SIGPIPE;
        if (!at_terminal || error.code() != std::errc::io_error) throw;
    }
    co_return 128 + SIGHUP;  // the terminal has gone, and its signal comes late
}

}  // namespace

int main(int argc, char** argv) {
    chat::options how;
    if (const auto status = chat::parse_options(argc, argv, how)) return *status;
    return ringlet::run_main(argc, argv, [&](ringlet::arguments) { return chat_quietly(how); });
}
