// SPDX-License-Identifier: MIT
// UDP echo: a server that sends every message back to whoever sent it.
//
// The smallest server there is: receive, send back, for ever. It needs to know nobody in advance,
// because recv_from tells the sender's address with each message. Two clients talk with it here,
// each from a port of its own, and each gets back only what is its own.
//
// spawn() starts the server as a job, which runs beside the clients: whenever one of them waits
// (co_await), another one goes on. The server never ends by itself, so it is cancelled in the end.
//
// `ringlet-echo` is the whole program; try it with  nc -u 127.0.0.1 7777

#include <ringlet/core/bytes.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/net/udp_socket.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/core.h>

#include <array>
#include <cstddef>
#include <functional>
#include <span>
#include <string>

namespace net = ringlet::net;

ringlet::task<> echo(net::udp_socket& socket) {
    std::array<std::byte, 1500> buffer;
    for (;;) {
        const auto got = co_await socket.recv_from(buffer);
        co_await socket.send_to(std::span{buffer}.first(got.size), got.from);
    }
}

ringlet::task<> ask(net::udp_socket& socket, std::string question) {
    co_await socket.send(ringlet::as_bytes(question));
    std::array<std::byte, 1500> buffer;
    const std::size_t size = co_await socket.recv(buffer);
    fmt::print("sent \"{}\", got back \"{}\"\n", question, ringlet::as_text(std::span{buffer}.first(size)));
}

ringlet::task<> server_and_clients() {
    auto server = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    auto job = ringlet::spawn(echo, std::ref(server));  // std::ref: this socket itself, not a copy of it

    auto anna = net::udp_socket::connect(server.local_endpoint());  // "connect" only notes whom to send to
    auto ben = net::udp_socket::connect(server.local_endpoint());
    co_await ask(anna, "I am Anna");
    co_await ask(ben, "I am Ben");
    co_await ask(anna, "Anna again");

    job.cancel();
    co_await job.join();
    fmt::print("the server has ended: {}\n", job.ready());
}

int main() { ringlet::run(server_and_clients()); }
