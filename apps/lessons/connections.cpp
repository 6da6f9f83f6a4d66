// SPDX-License-Identifier: MIT
// Short and long connections: three pages over three connections, or over one.
//
// At first HTTP made a connection for each page, and the server closed it to say "this was all": a
// short connection. To connect takes a round trip before the first byte can be sent, so since
// HTTP/1.1 the connection stays open (long, or "keep-alive"). Then the end of the connection can no
// longer be the end of the page, and the server must say how long the page is: Content-Length. The
// field "Connection: close" asks for the short way.
//
// The server below does both; the client counts how many connections it needed. ringlet-serve and
// ringlet-fetch keep connections open wherever they can.

#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/stream_reader.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

namespace net = ringlet::net;

ringlet::task<> serve_pages(net::tcp_stream client, int& connections) {
    ++connections;
    net::stream_reader reader{client};
    bool keep = true;
    while (keep) {
        const auto request = co_await reader.until("\r\n\r\n");  // the head of a request ends with an empty line
        if (!request) co_return;                                 // the client has closed
        keep = request->find("Connection: close") == std::string::npos;
        const std::string page = "<h1>hello</h1>";
        const std::string answer = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", page.size(), page);
        co_await client.send_all(ringlet::as_bytes(answer));
    }
}  // the destructor closes

ringlet::task<std::string> ask(net::tcp_stream& stream, bool keep) {
    const std::string request = fmt::format("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", keep ? "" : "Connection: close\r\n");
    co_await stream.send_all(ringlet::as_bytes(request));
    net::stream_reader reader{stream};
    const auto head = co_await reader.until("\r\n\r\n");
    if (!head) throw std::runtime_error{"the server has closed"};
    const std::size_t length = std::stoul(head->substr(head->find("Content-Length: ") + 16));
    std::string page(length, '\0');
    const bool complete = co_await reader.exact(std::as_writable_bytes(std::span{page}));
    co_return complete ? page : "(broken off)";
}

ringlet::task<> three_pages(net::endpoint server, bool keep, const int& connections) {
    const int before = connections;
    std::optional<net::tcp_stream> stream;
    for (int i = 0; i < 3; ++i) {
        if (!stream || !keep) stream = co_await net::tcp_stream::connect(server);
        const std::string page = co_await ask(*stream, keep);
        fmt::print("{}\n", page);
    }
    fmt::print("{} connections: {} for three pages\n", keep ? "long" : "short", connections - before);
}

ringlet::task<> both_ways(net::endpoint server, const int& connections) {
    co_await three_pages(server, false, connections);
    co_await three_pages(server, true, connections);
}

ringlet::task<> all() {
    int connections = 0;
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    // serve: serve_pages for each connection. first_of: both, until one has ended; the other is cancelled.
    co_await ringlet::first_of(net::serve(listener, serve_pages, std::ref(connections)),
                               both_ways(listener.local_endpoint(), connections));
}

int main() { ringlet::run(all()); }
