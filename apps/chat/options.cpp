// SPDX-License-Identifier: MIT
#include "chat/options.hpp"

#include "common/options.hpp"

namespace chat {

std::optional<int> parse_options(int argc, char** argv, options& into) {
    std::optional<std::uint16_t> peer_port;
    std::string bind;
    apps::option_parser parser{
        "ringlet-chat",
        "Two people talk over UDP: each line is sent as one datagram, and what comes is shown with its sender.",
        {"ringlet-chat                          wait at port 7778; whoever writes first is the one we talk to",
         "ringlet-chat 192.0.2.7 7778           talk to that one",
         "ringlet-chat -p 9000 ::1 9001         from a port of one's own, over IPv6",
         "printf 'hi\\n' | ringlet-chat ::1 9001  send what a pipe brings, and end",
         "nc -u 192.0.2.7 7778                  the other side needs no ringlet-chat"},
        "Either side may start first. Ctrl-D on an empty line or Ctrl-C leaves; Ctrl-R shows a half-typed line again.\n"
        "Datagrams carry bare UTF-8 text, at most 1200 bytes; longer lines are sent in parts. UDP gives no guarantee\n"
        "that they arrive, and nothing is encrypted.\n\n"
        "Exit status: 0 at the end of the input, 1 when a message could not be sent, the port is in use or\n"
        "the host unknown, 2 for a wrong command line, 130 after Ctrl-C, 143 after SIGTERM."};
    auto& app = parser.app();
    auto* host = app.add_option("HOST", into.host, "Whom to talk to; without, the first who writes");
    auto* port = app.add_option("PORT", peer_port, "The port that they have")->transform(apps::is_port());
    app.add_option("-p,--port", into.port, "The port that we have; without, 7778 when waiting, else a free one")
        ->transform(apps::is_port());
    app.add_option("-b,--bind", bind, "The address that we have; every one of this machine unless given");
    app.add_flag("-v,--verbose", into.verbose, "Say on standard error what it runs on");
    if (const auto status = parser.parse(argc, argv)) return status;
    if (host->count() != port->count()) return parser.usage_error("HOST and PORT go together");
    if (host->count() > 0 && (into.host.empty() || *peer_port == 0))
        return parser.usage_error(into.host.empty() ? "HOST is empty" : "nobody can have port 0");
    into.peer_port = peer_port.value_or(0);
    if (!bind.empty()) {
        into.bind = ringlet::net::endpoint::try_parse_address(bind, 0);
        if (!into.bind)
            return parser.usage_error("--bind takes a numeric address such as 127.0.0.1 or ::1, not " + bind);
    }
    return std::nullopt;
}

}  // namespace chat
