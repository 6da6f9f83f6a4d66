// SPDX-License-Identifier: MIT
// A static HTTP server: one job per connection; Ctrl-C lets the present answers finish.
// Try:  ringlet-serve . --port 0    and open the address that it prints.
#include "common/port_in_use.hpp"
#include "serve/access_log.hpp"
#include "serve/options.hpp"
#include "serve/site.hpp"
#include <ringlet/http/server_connection.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/ringlet.hpp>

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <utility>

namespace {

namespace net = ringlet::net;
namespace http = ringlet::http;

struct context {
    serve::options options;
    serve::site site;
    net::drain drain;
};

ringlet::task<> serve_client(net::tcp_stream stream, context& server) {
    const net::endpoint peer = stream.peer_endpoint();
    http::server_limits limits;
    limits.until = &server.drain;
    http::server_connection client{std::move(stream), limits};
    while (const http::request_head* request = co_await client.next_request()) {
        const http::status status = co_await server.site.answer(client, *request);
        if (!server.options.quiet) serve::log(serve::log_line(peer, *request, status, client.body_bytes_sent()));
    }
    co_await client.close();
}

ringlet::task<> drain_at_signal(net::drain& drain) {
    co_await ringlet::until_signal(SIGINT, SIGTERM);
    std::fputs("ringlet-serve: finishing what is being sent; press Ctrl-C again to leave at once\n", stderr);
    drain.begin();
}

ringlet::task<> http_server(serve::options options) {
    auto listener = apps::bind_or_explain(
        "TCP", options.address, [](const net::endpoint& address) { return net::tcp_listener::bind(address); });
    context server{.options = options, .site = serve::site{options.root}, .drain = {}};
    const ringlet::job<> signals = ringlet::spawn(drain_at_signal, std::ref(server.drain));
    co_await ringlet::yield();  // from here on Ctrl-C drains
    serve::log(fmt::format("Serving {} at http://{}/", options.root, listener.local_endpoint()));
    co_await net::serve(listener, net::serve_options{server.drain}, serve_client, std::ref(server));
}

}  // namespace

int main(int argc, char** argv) {
    serve::options options;
    if (const auto status = serve::parse_options(argc, argv, options)) return *status;
    return ringlet::run_main(argc, argv, [&](ringlet::arguments) { return http_server(options); });
}
