// SPDX-License-Identifier: MIT
// A chat over UDP: one job shows what comes, one sends what is typed; the first to end stops the other.
// Try, in two terminals:  ringlet-chat       and  ringlet-chat 127.0.0.1 7778
#include "chat/addresses.hpp"
#include "chat/conversation.hpp"
#include "chat/options.hpp"
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
#include <string>
#include <system_error>
#include <variant>

#include <unistd.h>

namespace {

namespace net = ringlet::net;
namespace sys = ringlet::io::sys;

// A line takes the place of a half-typed one on the screen.
constexpr const char* clear_line = "\r\x1b[K";

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
    if (typing) err.line("Ctrl-D leaves; Ctrl-R shows a half-typed line again.");
}

ringlet::task<> until_nobody_listens(apps::printer& out) {
    co_await out.until_broken();
    throw std::system_error{out.error(), "standard output"};
}

ringlet::task<int> chat_until_end(const chat::options& how) {
    const bool typing = sys::isatty(STDIN_FILENO) && sys::isatty(STDOUT_FILENO);
    apps::standard_printers print{typing ? clear_line : ""};
    if (how.verbose) print.err().line(apps::engine_line());
    const net::endpoint peer = co_await find_peer(how, print.err());
    auto socket = chat::open_socket(how, peer);
    chat::conversation talk{socket, peer, print};
    greet(socket.local_endpoint(), peer, typing, print.err());

    const auto end = co_await ringlet::first_of(ringlet::until_signal(SIGINT, SIGTERM), talk.show_incoming(),
                                                talk.send_lines(), until_nobody_listens(print.out()));
    if (typing) print.out().put("\n");
    if (end.index() == 0) {  // what is printed already shall be seen, unless nobody looks
        (void)co_await ringlet::as_result(ringlet::with_timeout(std::chrono::milliseconds{200}, print.finish()));
        co_return 128 + std::get<0>(end);
    }
    co_await talk.finish();
    co_await print.finish();
    if (const auto unheard = print.out().error()) throw std::system_error{unheard, "standard output"};
    co_return talk.lost_any() ? 1 : 0;
}

ringlet::task<int> chat_quietly(const chat::options& how) {
    try {
        co_return co_await chat_until_end(how);
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::broken_pipe) throw;
    }
    co_return 128 + SIGPIPE;  // nobody reads what we hear: `ringlet-chat | head`
}

}  // namespace

int main(int argc, char** argv) {
    chat::options how;
    if (const auto status = chat::parse_options(argc, argv, how)) return *status;
    return ringlet::run_main(argc, argv, [&](ringlet::arguments) { return chat_quietly(how); });
}
