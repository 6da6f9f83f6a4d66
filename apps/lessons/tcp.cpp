// SPDX-License-Identifier: MIT
// TCP: a server and its client, and why the receiver sees no messages, only bytes.
//
// A TCP connection is like a telephone call: first one calls and the other answers, then both may
// speak, and what is said arrives complete and in order. The server's listening socket only accepts
// calls; each call gets a socket of its own.
//
// Python:  server:  s.bind(...); s.listen(128); client, address = s.accept(); client.recv(1024)
//          client:  s.connect(...); s.send(b"...")
//
// TCP carries a stream of bytes. Three sends may arrive as one piece or as ten; the borders are
// lost. So both sides must agree on how a message ends: here it is the end of the line. recv()
// gives 0 bytes when the other side has closed.

#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/net/stream_reader.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/core.h>

namespace net = ringlet::net;

ringlet::task<> serve_one(net::tcp_listener& listener) {
    net::tcp_stream client = co_await listener.accept();  // waits until somebody connects
    net::stream_reader reader{client};
    while (const auto line = co_await reader.line()) {  // collects bytes until there is a whole line
        fmt::print("server: got \"{}\"\n", *line);
        const std::string answer = "you said: " + *line + "\n";
        co_await client.send_all(ringlet::as_bytes(answer));
    }
    fmt::print("server: the client has closed\n");
}

ringlet::task<> talk(net::endpoint server) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(server);
    net::stream_reader reader{stream};
    co_await stream.send_all(ringlet::as_bytes("one line\nthe be"));  // one and a half lines
    const auto first = co_await reader.line();
    fmt::print("client: \"{}\"\n", first.value_or("(closed)"));
    co_await stream.send_all(ringlet::as_bytes("ginning of the next\n"));
    const auto second = co_await reader.line();
    fmt::print("client: \"{}\"\n", second.value_or("(closed)"));
}  // the stream's destructor closes the connection

ringlet::task<> both() {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));  // bind() and listen()
    // when_all: both side by side, until both have ended
    co_await ringlet::when_all(serve_one(listener), talk(listener.local_endpoint()));
}

int main() { ringlet::run(both()); }
