// SPDX-License-Identifier: MIT
// Half-close: "I have said everything" without hanging up.
//
// A TCP connection is two streams, one in each direction, and each can be ended by itself. A client
// whose question has no fixed length sends it, ends its own direction, and still receives. The
// server reads to the end (recv gives 0 bytes), knows that this was all, and answers.
//
// Python: s.shutdown(socket.SHUT_WR). Had the client closed the socket instead, there would be
// nobody left to answer to.

#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/core.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>

namespace net = ringlet::net;

ringlet::task<std::string> receive_all(net::tcp_stream& stream) {
    std::string all;
    std::array<std::byte, 4> buffer;  // so small that it takes several turns
    while (const std::size_t n = co_await stream.recv(buffer)) all += ringlet::as_text(std::span{buffer}.first(n));
    co_return all;
}

ringlet::task<> count_bytes(net::tcp_listener& listener) {
    net::tcp_stream client = co_await listener.accept();
    const std::string question = co_await receive_all(client);
    fmt::print("server: that was all, {} bytes\n", question.size());
    const std::string answer = fmt::format("{} bytes", question.size());
    co_await client.send_all(ringlet::as_bytes(answer));
}

ringlet::task<> ask(net::endpoint server) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(server);
    co_await stream.send_all(ringlet::as_bytes("How long is "));
    co_await stream.send_all(ringlet::as_bytes("this question?"));
    fmt::print("client: I have said everything\n");
    co_await stream.shutdown_send();
    const std::string answer = co_await receive_all(stream);
    fmt::print("client: the answer is \"{}\"\n", answer);
}

ringlet::task<> both() {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    co_await ringlet::when_all(count_bytes(listener), ask(listener.local_endpoint()));
}

int main() { ringlet::run(both()); }
