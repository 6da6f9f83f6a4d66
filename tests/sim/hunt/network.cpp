// SPDX-License-Identifier: MIT
#include "hunt/workloads.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/http/server_connection.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/stream_reader.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/net/udp_socket.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

namespace ringlet_hunt {
namespace {

using namespace std::chrono_literals;
namespace net = ringlet::net;
namespace http = ringlet::http;
using ringlet::task;

net::serve_options quiet() {
    net::serve_options options;
    options.on_failure = [](const net::endpoint&, const std::exception_ptr&) {};
    return options;
}

// What a program may end by: the errors of its system, and no memory.
template <class Make>
bool ends_well(ringlet::testing::simulation& world, Make make) {
    try {
        world.run(make());
        return true;
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {
    } catch (const http::protocol_error& cut) {
        throw std::logic_error{std::string{"a correct peer was taken for a wrong one: "} + cut.what()};
    }
    return false;
}

// --- lines over TCP: each comes back in upper case ---

task<> answer_lines(net::tcp_stream stream) {
    net::stream_reader reader{stream};
    while (const std::optional<std::string> line = co_await reader.line()) {
        std::string loud = *line + "!\n";
        for (char& c : loud)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        co_await stream.send_all(ringlet::as_bytes(loud));
    }
}

task<> ask_lines(net::endpoint server) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(server);
    net::stream_reader reader{stream};
    for (int i = 0; i < 4; ++i) {
        const std::string text = fmt::format("line {} {}", i, std::string(static_cast<std::size_t>(i) * 700, 'x'));
        const std::string sent = text + "\n";
        co_await stream.send_all(ringlet::as_bytes(sent));
        const std::optional<std::string> heard = co_await reader.line();
        const std::string wanted = fmt::format("LINE {} {}!", i, std::string(static_cast<std::size_t>(i) * 700, 'X'));
        if (heard == wanted) continue;
        // The last line of a stream may lack its end: that of one whose server gave up.
        if (!heard || wanted.starts_with(*heard))
            throw std::system_error{std::make_error_code(std::errc::connection_aborted), "cut"};
        throw std::logic_error{"another line came back: " + *heard};
    }
}

task<> talk_over_tcp() {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    auto body = [](ringlet::task_group& group, net::tcp_listener& from) -> task<> {
        ringlet::job<> server =
            group.spawn([](net::tcp_listener& at) { return net::serve(at, quiet(), answer_lines); }, std::ref(from));
        auto clients = [](ringlet::task_group& all, net::endpoint to) -> task<> {
            for (int i = 0; i < 3; ++i) all.spawn(ask_lines, to);
            co_return;
        };
        co_await ringlet::with_task_group(clients, from.local_endpoint());
        server.cancel();
    };
    co_await ringlet::with_task_group(body, std::ref(listener));
}

// --- numbers by datagrams, asked again until the answer comes ---

task<> double_numbers(net::udp_socket& socket) {
    std::array<std::byte, 64> block;
    for (;;) {
        const auto got = co_await ringlet::as_result(socket.recv_from(block));
        if (!got) continue;  // memory is short, or an answer was refused
        const int number = std::stoi(std::string{ringlet::as_text(std::span{block}.first(got->size))});
        const std::string answer = fmt::format("{} {}", number, 2 * number);
        [[maybe_unused]] const auto sent =
            co_await ringlet::as_result(socket.send_to(ringlet::as_bytes(answer), got->from));
    }
}

task<> ask_number(net::endpoint server, int number) {
    auto socket = net::udp_socket::connect(server);
    const std::string question = std::to_string(number);
    const std::string wanted = fmt::format("{} {}", number, 2 * number);
    std::array<std::byte, 64> block;
    for (int tries = 0; tries < 20; ++tries) {
        [[maybe_unused]] const auto sent = co_await ringlet::as_result(socket.send(ringlet::as_bytes(question)));
        const auto got = co_await ringlet::as_result(ringlet::with_timeout(100ms, socket.recv(block)));
        if (!got) continue;
        const std::string text{ringlet::as_text(std::span{block}.first(*got))};
        if (text != wanted) throw std::logic_error{"another answer came: " + text};
        co_return;
    }
    throw std::system_error{std::make_error_code(std::errc::timed_out), "no answer"};
}

task<> ask_numbers() {
    auto server = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    auto body = [](ringlet::task_group& group, net::udp_socket& at) -> task<> {
        ringlet::job<> doubling = group.spawn(double_numbers, std::ref(at));
        auto clients = [](ringlet::task_group& all, net::endpoint to) -> task<> {
            for (int i = 0; i < 5; ++i) all.spawn(ask_number, to, i);
            co_return;
        };
        co_await ringlet::with_task_group(clients, at.local_endpoint());
        doubling.cancel();
    };
    co_await ringlet::with_task_group(body, std::ref(server));
}

// --- pages over HTTP ---

std::string page(std::string_view path) {
    return std::string(path.size() * 3000, static_cast<char>('a' + path.size() % 26));
}

task<> answer_requests(net::tcp_stream stream) {
    http::server_connection client{std::move(stream)};
    while (http::request_head* const request = co_await client.next_request()) {
        http::response_head head;
        const std::string body = page(request->target);
        if (request->target.size() % 2 == 0) {
            co_await client.respond(std::move(head), body);
            continue;
        }
        client.begin_response(std::move(head), std::nullopt);
        const auto bytes = ringlet::as_bytes(body);
        co_await client.write(bytes.first(bytes.size() / 2));
        co_await client.write(bytes.subspan(bytes.size() / 2));
        client.end_response();
    }
    co_await client.close();
}

task<> get_pages(net::endpoint server) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(server);
    http::client_connection to{std::move(stream)};
    http::request_head head;
    head.fields.add("Host", "simulated");
    for (const std::string path : {"/", "/a", "/ab", "/abcdef", "/abcdefghijklm"}) {
        head.target = path;
        const http::response_head* const answer = co_await to.request(head);
        if (answer->status != http::status::ok) throw std::logic_error{"the status is not 200"};
        std::string body;
        std::array<std::byte, 1500> block;
        while (const std::size_t n = co_await to.read(block)) body += ringlet::as_text(std::span{block}.first(n));
        if (body != page(path)) throw std::logic_error{"the page has other bytes than were sent"};
    }
}

task<> browse() {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    auto body = [](ringlet::task_group& group, net::tcp_listener& from) -> task<> {
        ringlet::job<> server =
            group.spawn([](net::tcp_listener& at) { return net::serve(at, quiet(), answer_requests); }, std::ref(from));
        co_await get_pages(from.local_endpoint());
        server.cancel();
    };
    co_await ringlet::with_task_group(body, std::ref(listener));
}

}  // namespace

bool exchange_over_tcp(ringlet::testing::simulation& world) { return ends_well(world, talk_over_tcp); }
bool exchange_datagrams(ringlet::testing::simulation& world) { return ends_well(world, ask_numbers); }
bool get_over_http(ringlet::testing::simulation& world) { return ends_well(world, browse); }

}  // namespace ringlet_hunt
