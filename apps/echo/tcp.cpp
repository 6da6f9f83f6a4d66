// SPDX-License-Identifier: MIT
#include "echo/tcp.hpp"

#include "common/port_in_use.hpp"
#include <ringlet/net/multishot_stream.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/time/timeout.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>

namespace echo {
namespace {

namespace net = ringlet::net;

struct server {
    const options& how;
    tcp_totals& totals;
    apps::printer& err;
};

ringlet::task<> echo(net::multishot_stream stream, tcp_totals& totals) {
    for (;;) {
        auto lease = co_await stream.recv_lease();
        if (lease.empty()) break;
        co_await stream.send_all(lease.bytes());
        totals.bytes += lease.size();
    }
}

// A frame of its own: who waits for data has none.
ringlet::task<> send_within(net::multishot_stream& stream, std::span<const std::byte> bytes,
                            std::chrono::nanoseconds limit) {
    co_await ringlet::with_timeout(limit, stream.send_all(bytes));
}

// The same under a time limit; apart, because every connection would pay for it in memory.
ringlet::task<> echo_within(net::multishot_stream stream, tcp_totals& totals, std::chrono::nanoseconds limit) {
    for (;;) {
        auto lease = co_await ringlet::with_timeout(limit, stream.recv_lease());
        if (lease.empty()) break;
        co_await send_within(stream, lease.bytes(), limit);
        totals.bytes += lease.size();
    }
}

// No coroutine: it chooses one.
ringlet::task<> handle(net::tcp_stream stream, server& here) {
    ++here.totals.connections;
    if (here.how.verbose) here.err.say("{}: connected", stream.peer_endpoint());
    if (here.how.time_limit)
        return echo_within(net::multishot_stream{std::move(stream)}, here.totals, *here.how.time_limit);
    return echo(net::multishot_stream{std::move(stream)}, here.totals);
}

}  // namespace

ringlet::task<> serve_tcp(const options& how, tcp_totals& totals, apps::standard_printers& print) {
    auto listener = apps::bind_or_explain(
        "TCP", how.address, [](const net::endpoint& address) { return net::tcp_listener::bind(address); });
    server here{how, totals, print.err()};
    net::serve_options serving;
    serving.on_failure = [&here](const net::endpoint& peer, const std::exception_ptr& why) {
        ++here.totals.failed;
        if (here.how.verbose) here.err.say("{}: {}", peer, ringlet::detail::describe(why));
    };
    print.out().say("Echoing TCP at {}", listener.local_endpoint());
    co_await net::serve(listener, std::move(serving), handle, std::ref(here));
}

}  // namespace echo
