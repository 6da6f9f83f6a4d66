// SPDX-License-Identifier: MIT
#include "chat/options.hpp"

#include "chat/text.hpp"
#include "common/options.hpp"

#include <string>
#include <vector>

namespace chat {

namespace net = ringlet::net;

std::optional<int> parse_options(int argc, char** argv, options& into) {
    std::vector<std::string> words;
    std::string bind;
    std::string nick;
    apps::option_parser parser{
        "ringlet-chat",
        "People talk over UDP: each line is sent as one datagram, and what comes is shown with its sender.",
        {"ringlet-chat                          wait at port 7778; whoever writes first is the one we talk to",
         "ringlet-chat -n Ada 192.0.2.7 7778    talk to that one, with a name before each line",
         "ringlet-chat 9000 192.0.2.7 7778      from port 9000: the same as -p 9000 192.0.2.7 7778",
         "ringlet-chat --menu                   1 send, 2 receive, 3 quit",
         "printf 'hi\\n' | ringlet-chat ::1 9001  send what a pipe brings, and end",
         "nc -u 192.0.2.7 7778                  the other side needs no ringlet-chat"},
        "Either side may start first. Everybody who writes to us is shown, with their address; what we type goes to "
        "one.\n"
        "On a terminal the line being typed stays below what arrives; Ctrl-D on an empty line or Ctrl-C leaves.\n"
        "Lines that begin with a slash are commands: /who, /nick NAME, /help, /quit; // sends a slash.\n"
        "Datagrams carry bare UTF-8 text, at most 1200 bytes; longer lines are sent in parts. UDP gives no guarantee\n"
        "that they arrive, once or in order, and nothing is encrypted.\n\n"
        "Exit status: 0 at the end of the input, 1 when a message could not be sent, the port is in use or\n"
        "the host unknown, 2 for a wrong command line, 130 after Ctrl-C, 143 after SIGTERM."};
    auto& app = parser.app();
    app.add_option("[LPORT] HOST PORT", words,
                   "Whom to talk to, perhaps from a port of ours; without, the first who writes")
        ->type_name("")
        ->expected(0, 3);
    auto* port =
        app.add_option("-p,--port", into.port, "The port that we have; without, 7778 when waiting, else a free one")
            ->transform(apps::is_port());
    app.add_option("-n,--nick", nick, "A name of at most 20 characters, sent before each line as 'NICK: '");
    app.add_option("-b,--bind", bind, "The address that we have; every one of this machine unless given");
    app.add_flag("--menu", into.menu, "Ask what to do: 1 send (and to whom, each time), 2 receive, 3 quit");
    app.add_option("--limit", into.limit, "Messages of one sender that are shown in a second; 0: all")
        ->transform(apps::is_whole(0, 1'000'000))
        ->capture_default_str();
    app.add_flag("-v,--verbose", into.verbose, "Say on standard error what it runs on");
    if (const auto status = parser.parse(argc, argv)) return status;
    if (words.size() == 1) return parser.usage_error("HOST and PORT go together");
    if (words.size() == 3) {
        if (port->count() > 0) return parser.usage_error("LPORT and --port are the same: give one of them");
        into.port = net::parse_port(words.front());
        if (!into.port) return parser.usage_error("LPORT is a port from 0 to 65535, not '" + words.front() + "'");
        words.erase(words.begin());
    }
    if (into.menu && !words.empty()) return parser.usage_error("--menu asks for HOST and PORT");
    if (!words.empty()) {
        into.host = words[0];
        if (into.host.empty()) return parser.usage_error("HOST is empty");
        into.peer_port = net::parse_port(words[1]).value_or(0);
        if (into.peer_port == 0) return parser.usage_error("PORT is a port from 1 to 65535, not '" + words[1] + "'");
    }
    if (!nick.empty()) {
        into.nick = clean_nick(nick);
        if (into.nick.empty()) return parser.usage_error("nothing of the nick can be seen");
    }
    if (!bind.empty()) {
        into.bind = net::endpoint::try_parse_address(bind, 0);
        if (!into.bind)
            return parser.usage_error("--bind takes a numeric address such as 127.0.0.1 or ::1, not " + bind);
    }
    return std::nullopt;
}

}  // namespace chat
