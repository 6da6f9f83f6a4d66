// SPDX-License-Identifier: MIT
// A static HTTP server: one job per connection; Ctrl-C lets the present answers finish.
// Try:  ringlet-serve . --port 0    and open the address that it prints.
#include "common/engine_line.hpp"
#include "common/file_limit.hpp"
#include "common/port_in_use.hpp"
#include "serve/access_log.hpp"
#include "serve/clients.hpp"
#include "serve/content.hpp"
#include "serve/options.hpp"
#include "serve/reporter.hpp"
#include "serve/sandbox.hpp"
#include "serve/workers.hpp"
#include <ringlet/http/server_connection.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tls_stream.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/ringlet.hpp>

#include <csignal>
#include <exception>
#include <functional>
#include <string>
#include <utility>

namespace {

namespace net = ringlet::net;
namespace http = ringlet::http;

struct context {
    context(serve::content& what, serve::totals& counted, bool worker)
        : served{what}, clients{what.options.per_address_max}, report{what.options, counted}, is_worker{worker} {
        limits.until = &drain;
        limits.wants_bodies = false;
    }

    serve::content& served;
    serve::clients_by_address clients;
    serve::reporter report;
    net::drain drain;
    http::server_limits limits;
    bool is_worker;
};

// Requests, one after the other, for as long as the client likes.
ringlet::task<> answer_all(http::server_connection client, serve::clients_by_address::place, context& server) {
    const net::compact_endpoint peer = server.report.peer_of(client.stream());
    while (const http::request_head* request = co_await client.next_request()) {
        const serve::reporter::line at_its_end{server.report, peer, client, *request};
        co_await server.served.site.answer(client, *request);
    }
    if (const http::request_head* known = client.refused())
        server.report.answered({peer, *known, client.answered(), client.body_bytes_sent(), {}, true});
    co_await client.close();
}

ringlet::task<> secure_and_answer(net::tcp_stream stream, serve::clients_by_address::place place, context& server) {
    net::tls_stream secured = co_await ringlet::with_timeout(
        server.limits.head_time, net::tls_stream::accept(std::move(stream), *server.served.tls));
    co_await answer_all(http::server_connection{std::move(secured), server.limits}, std::move(place), server);
}

ringlet::task<> turn_away(net::tcp_stream) { co_return; }

ringlet::task<> serve_client(net::tcp_stream stream, context& server) {
    server.report.accepted();
    auto place = server.clients.enter(stream);
    if (!place) return turn_away(std::move(stream));
    if (server.served.tls) return secure_and_answer(std::move(stream), *std::move(place), server);
    return answer_all(http::server_connection{std::move(stream), server.limits}, *std::move(place), server);
}

ringlet::task<> serve_clients(net::tcp_listener& listener, context& server) {
    if (!server.is_worker) server.report.listens(listener.local_endpoint());
    net::serve_options serving{server.drain};
    serving.connections_max = server.served.options.connections_max_each();
    serving.on_failure = [&server](const net::endpoint& peer, const std::exception_ptr& why) {
        server.report.failed(peer, why);
    };
    co_await net::serve(listener, std::move(serving), serve_client, std::ref(server));
}

ringlet::task<> told_by_signal() { co_await ringlet::until_signal(SIGINT, SIGTERM); }

ringlet::task<> drain_when(ringlet::task<> told, context& server) {
    co_await std::move(told);
    if (!server.is_worker) server.report.say(serve::drain_notice);
    server.drain.begin();
    co_await ringlet::sleep_until(ringlet::io::no_deadline);  // the clients end first
}

// The wait for a signal first: once the address is printed, Ctrl-C drains.
ringlet::task<> run(net::tcp_listener& listener, context& server, ringlet::task<> told) {
    co_await ringlet::first_of(drain_when(std::move(told), server), serve_clients(listener, server));
}

ringlet::task<> work(net::tcp_listener& listener, serve::content& served, serve::totals& counted,
                     ringlet::task<> told) {
    context server{served, counted, true};
    co_await run(listener, server, std::move(told));
    co_await server.report.printers().finish();
}

ringlet::task<> http_server(serve::options options) {
    auto listeners = apps::bind_or_explain("TCP", options.address, [&](const net::endpoint& address) {
        return net::tcp_listener::bind_shared(address, options.workers, net::listen_options::client_speaks_first());
    });
    serve::content served{options};
    serve::shared_totals counted{options.workers};
    context server{served, counted.of(0), false};
    const std::string allowed = serve::confine_to_reading(served.site.root());
    server.report.say_if_asked(apps::engine_line());
    server.report.say_if_asked("ringlet-serve: allowed from now on: " + allowed);
    if (options.workers == 1)
        co_await run(listeners.front(), server, told_by_signal());
    else
        co_await serve::run_workers(std::move(listeners), work, served, counted, server.report);
    if (!options.quiet) server.report.say(serve::summary(counted.sum()));
    co_await server.report.printers().finish();
}

}  // namespace

int main(int argc, char** argv) {
    apps::raise_file_limit();
    serve::options options;
    if (const auto status = serve::parse_options(argc, argv, options)) return *status;
    return ringlet::run_main(argc, argv, [&](ringlet::arguments) { return http_server(options); });
}
