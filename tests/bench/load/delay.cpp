// SPDX-License-Identifier: MIT
// A long way to a server near by: what comes is handed on later, each way, as fast as it came. Connecting takes no time,
// because the kernel accepts here.
//
// Try it:  bench-delay -d 50 8080     It prints its address, flushed at once; -d is in milliseconds, each way.
#include <ringlet/core/combinators.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/sync/queue.hpp>
#include <ringlet/time/clock.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace net = ringlet::net;

constexpr std::size_t receive_bytes = 256 * 1024;
constexpr std::size_t pieces_max = 1 << 20;  // no limit to the throughput

struct way {
    net::endpoint server;
    std::chrono::milliseconds delay;
};

struct piece {
    ringlet::deadline due;
    std::vector<std::byte> bytes;  // none: the end
};

using line = ringlet::queue<piece>;

ringlet::task<> take_in(net::tcp_stream& from, line& into, std::chrono::milliseconds delay) {
    std::vector<std::byte> buffer(receive_bytes);
    for (;;) {
        const std::size_t got = co_await from.recv(buffer);
        piece next{ringlet::clock::now() + delay, {}};
        next.bytes.assign(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got));
        co_await into.put(std::move(next));
        if (got == 0) co_return;
    }
}

ringlet::task<> hand_on(line& from, net::tcp_stream& to) {
    while (std::optional<piece> next = co_await from.get()) {
        co_await ringlet::sleep_until(next->due);
        if (next->bytes.empty()) break;
        co_await to.send_all(next->bytes);
    }
    co_await to.shutdown_send();
}

ringlet::task<> relay(net::tcp_stream client, const way& way) {
    net::tcp_stream server = co_await net::tcp_stream::connect(way.server);
    line requests{pieces_max};
    line answers{pieces_max};
    co_await ringlet::when_all(take_in(client, requests, way.delay), hand_on(requests, server),
                               take_in(server, answers, way.delay), hand_on(answers, client));
}

ringlet::task<> relay_all(const way& way) {
    net::tcp_listener listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    fmt::print("Delaying at {}\n", listener.local_endpoint().to_string());
    std::fflush(stdout);
    co_await net::serve(listener, relay, std::cref(way));
}

std::optional<way> parse(int argc, char** argv) {
    if (argc != 4 || std::string_view{argv[1]} != "-d") return std::nullopt;
    const auto port = net::parse_port(argv[3]);
    if (!port) return std::nullopt;
    return way{net::endpoint::loopback_v4(*port), std::chrono::milliseconds{std::strtol(argv[2], nullptr, 10)}};
}

}  // namespace

int main(int argc, char** argv) {
    const auto way = parse(argc, argv);
    if (!way) {
        fmt::print(stderr, "usage: bench-delay -d MILLISECONDS PORT\n");
        return 2;
    }
    return ringlet::run_main(argc, argv, [&](ringlet::arguments) { return relay_all(*way); });
}
