// SPDX-License-Identifier: MIT
// A static HTTP server: one job per connection; Ctrl-C lets the present answers finish.
// Try:  ringlet-serve . --port 0    and open the address that it prints.
#include "common/engine_line.hpp"
#include "common/file_limit.hpp"
#include "common/port_in_use.hpp"
#include "common/printer.hpp"
#include "common/sanitize.hpp"
#include "serve/access_log.hpp"
#include "serve/clients.hpp"
#include "serve/options.hpp"
#include "serve/sandbox.hpp"
#include "serve/site.hpp"
#include <ringlet/http/server_connection.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/ringlet.hpp>

#include <csignal>
#include <exception>
#include <functional>
#include <system_error>
#include <utility>

namespace {

namespace net = ringlet::net;
namespace http = ringlet::http;

struct context {
    explicit context(const serve::options& how) : options{how}, site{how.site}, clients{how.per_address_max} {}

    serve::options options;
    serve::site site;
    serve::clients_by_address clients;
    serve::totals totals;
    net::drain drain;
    apps::standard_printers print;
};

void note(context& server, const serve::logged_answer& what) {
    ++server.totals.requests;
    server.totals.body_bytes += what.body_bytes;
    if (!server.options.quiet) server.print.out().line(serve::log_line(what, server.options.log));
}

// One answer, and its line in the log, also when the connection broke in the middle.
ringlet::task<> answer(http::server_connection& client, const http::request_head& request, const net::endpoint& peer,
                       context& server) {
    const ringlet::deadline begin = ringlet::clock::now();
    const auto done = [&] {
        note(server, {peer, request, client.answered(), client.body_bytes_sent(), ringlet::clock::now() - begin});
    };
    try {
        co_await server.site.answer(client, request);
    } catch (...) {
        done();
        throw;
    }
    done();
}

http::server_limits limits_of(context& server) {
    http::server_limits limits;
    limits.until = &server.drain;
    return limits;
}

ringlet::task<> serve_client(net::tcp_stream stream, context& server) {
    const net::endpoint peer = stream.peer_endpoint();
    ++server.totals.connections;
    const auto place = server.clients.enter(peer);
    if (!place) co_return;
    http::server_connection client{std::move(stream), limits_of(server)};
    while (const http::request_head* request = co_await client.next_request())
        co_await answer(client, *request, peer, server);
    if (const http::request_head* known = client.refused())
        note(server, {peer, *known, client.answered(), client.body_bytes_sent(), {}, true});
    co_await client.close();
}

ringlet::task<> drain_at_signal(context& server) {
    co_await ringlet::until_signal(SIGINT, SIGTERM);
    server.print.err().line("ringlet-serve: finishing what is being sent; press Ctrl-C again to leave at once");
    server.drain.begin();
    co_await ringlet::sleep_until(ringlet::io::no_deadline);  // the clients end first
}

// Peers come and go; what else ends a connection is said.
void tell_failure(context& server, const net::endpoint& peer, const std::exception_ptr& why) {
    try {
        std::rethrow_exception(why);
    } catch (const std::system_error& error) {
        if (net::is_disconnect(error.code())) return;
    } catch (...) {
    }
    server.print.err().say("ringlet-serve: connection from {}: {}", peer, ringlet::detail::describe(why));
}

ringlet::task<> serve_clients(net::tcp_listener& listener, context& server) {
    server.print.out().say("Serving {} at http://{}/",
                           apps::sanitize(server.options.site.root, apps::text_context::field),
                           listener.local_endpoint());
    net::serve_options serving{server.drain};
    serving.connections_max = server.options.connections_max;
    serving.on_failure = [&server](const net::endpoint& peer, const std::exception_ptr& why) {
        tell_failure(server, peer, why);
    };
    co_await net::serve(listener, std::move(serving), serve_client, std::ref(server));
}

ringlet::task<> http_server(serve::options options) {
    auto listener = apps::bind_or_explain(
        "TCP", options.address, [](const net::endpoint& address) { return net::tcp_listener::bind(address); });
    context server{options};
    const std::string allowed = serve::confine_to_reading(server.site.root());
    if (options.verbose) {
        server.print.err().line(apps::engine_line());
        server.print.err().line("ringlet-serve: allowed from now on: " + allowed);
    }
    // The wait for a signal first: once the address is printed, Ctrl-C drains.
    co_await ringlet::first_of(drain_at_signal(server), serve_clients(listener, server));
    if (!options.quiet) server.print.err().line("ringlet-serve: " + serve::summary(server.totals));
    co_await server.print.finish();
}

}  // namespace

int main(int argc, char** argv) {
    apps::raise_file_limit();
    serve::options options;
    if (const auto status = serve::parse_options(argc, argv, options)) return *status;
    return ringlet::run_main(argc, argv, [&](ringlet::arguments) { return http_server(options); });
}
