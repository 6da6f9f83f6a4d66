// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "programs.hpp"
#include "web_client.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/net/udp_socket.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

namespace net = ringlet::net;
namespace testing = ringlet::testing;
using ringlet::task;
using ringlet::task_group;
using ringlet::with_task_group;
using testing::simulation;
using namespace std::chrono_literals;

// What a peer waits for comes at once, or never.
constexpr std::chrono::seconds patience{60};

task<std::string> hear(net::tcp_stream& from) {
    std::array<std::byte, 4096> block;
    std::string heard;
    while (const std::size_t n = co_await ringlet::with_timeout(patience, from.recv(block)))
        heard += ringlet::as_text(std::span{block}.first(n));
    co_return heard;
}

task<std::string> say_and_hear(net::endpoint to, std::string_view text) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(to);
    co_await stream.send_all(ringlet::as_bytes(text));
    co_await stream.shutdown_send();
    co_return co_await hear(stream);
}

task<std::string> send_and_receive(std::uint16_t port, std::string_view text) {
    auto socket = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    co_await socket.send_to(ringlet::as_bytes(text), net::endpoint::loopback_v4(port));
    std::array<std::byte, 512> block;
    const net::datagram got = co_await ringlet::with_timeout(patience, socket.recv_from(block));
    co_return std::string{ringlet::as_text(std::span{block}.first(got.size))};
}

// --- one connection of the server ---

// The list of the files, which a thread makes, and one of them.
constexpr std::string_view requests =
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

task<> ask_one(task_group& group, net::tcp_listener& listener, const serve::options& how) {
    group.spawn(programs::serve_one_client, std::ref(listener), std::cref(how));
    const std::string answer = co_await say_and_hear(listener.local_endpoint(), requests);
    if (!answer.ends_with("content of a")) throw std::runtime_error{"cut: " + answer};
}

task<> one_client(simulation& world) {
    world.write_file("/site/a", "content of a");
    serve::options how;
    how.site.root = "/site";
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    co_await with_task_group(ask_one, std::ref(listener), std::cref(how));
}

// --- files that are sent from the file, whole and a part of one, and what comes between them ---

const std::string& content_of_large() {
    static const std::string content = [] {
        std::string made;
        for (int i = 0; made.size() < 30'000; ++i) made += fmt::format("{} ", i * i);
        return made;
    }();
    return content;
}

std::vector<web::exchange> asked_of_files() {
    const std::string_view large = content_of_large();
    return {{.request = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n", .body = large},
            {.request = "GET /large HTTP/1.1\r\nHost: x\r\nRange: bytes=7-20006\r\n\r\n",
             .status = 206,
             .body = large.substr(7, 20'000)},
            {.request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", .any_body = true},
            {.request = "HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n", .body = large, .bodyless = true},
            {.request = "GET /large HTTP/1.1\r\nHost: x\r\nRange: bytes=-5\r\nConnection: close\r\n\r\n",
             .status = 206,
             .body = large.substr(large.size() - 5)}};
}

task<> ask_for_files(task_group& group, net::tcp_listener& listener, const serve::options& how) {
    group.spawn(programs::serve_one_client, std::ref(listener), std::cref(how));
    std::string text;
    std::vector<web::exchange> asked = asked_of_files();
    for (web::exchange& each : asked) {
        text += each.request;
        each.may_be_missing = true;
    }
    const std::string answer = co_await say_and_hear(listener.local_endpoint(), text);
    web::answers got{asked, false};
    got.take(answer);
    if (!got.all()) throw std::runtime_error{"cut"};
}

task<> one_client_of_files(simulation& world) {
    world.write_file("/site/large", content_of_large());
    serve::options how;
    how.site.root = "/site";
    how.site.cache.body_bytes_each = 100;
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    co_await with_task_group(ask_for_files, std::ref(listener), std::cref(how));
}

// --- two downloads over one connection ---

const std::string& content_of(const std::string& name) {
    static const std::string small = "content of a";
    static const std::string large(40'000, 'b');
    return name.starts_with('a') ? small : large;
}

// Each is whole, under its own name or another where that one was said to be taken.
void check_files(const simulation& world, int status) {
    std::vector<std::string> names;
    try {
        names = world.list("/tmp/out");
    } catch (const std::system_error&) {  // it was not made
    }
    const auto is_part = [](std::string_view name) { return name.ends_with(".part") || name.ends_with(".part.state"); };
    if (status != 0) std::erase_if(names, is_part);
    if (names.size() > 2 || (status == 0 && names.size() != 2))
        throw std::logic_error{fmt::format("status {}, {} files; {}", status, names.size(), world.errors())};
    for (const auto& name : names)
        if (world.read_file("/tmp/out/" + name) != content_of(name)) throw std::logic_error{"not whole: " + name};
}

task<> fetch_from(task_group& group, simulation& world, const serve::options& site, const fetch::options& wanted) {
    auto server = group.spawn(programs::serve, std::cref(site));
    co_await ringlet::sleep(10ms);  // it listens
    const int status = co_await programs::fetch(wanted);
    check_files(world, status);
    world.signal(SIGTERM);
    co_await server.get();
    if (status != 0) throw std::runtime_error{"a download failed"};
}

task<> two_downloads(simulation& world) {
    serve::options site;
    site.site.root = "/site";
    fetch::options wanted;
    wanted.directory = "/tmp/out";
    wanted.jobs = 1;
    for (const char* name : {"a", "b"}) {
        world.write_file(fmt::format("/site/{}", name), content_of(name));
        wanted.items.push_back({.url = fmt::format("http://127.0.0.1:8080/{}", name), .name = {}, .checksum = {}});
    }
    co_await with_task_group(fetch_from, std::ref(world), std::cref(site), std::cref(wanted));
}

// --- echo ---

task<> ask_echo(task_group& group, simulation& world, const echo::options& how) {
    auto server = group.spawn(programs::echo, std::cref(how));
    co_await ringlet::sleep(10ms);
    std::string heard;
    if (how.tcp)
        heard = co_await say_and_hear(how.address, "hello");
    else
        heard = co_await send_and_receive(how.address.port(), "hello");
    if (heard != "hello") throw std::runtime_error{"not echoed"};
    world.signal(SIGINT);
    co_await server.get();
}

task<> one_echo(simulation& world, bool tcp) {
    echo::options how;
    how.tcp = tcp;
    co_await with_task_group(ask_echo, std::ref(world), std::cref(how));
}

// --- chat ---

task<> talk(task_group& group, simulation& world, const chat::options& how) {
    auto chat = group.spawn(programs::chat, std::cref(how));
    world.type("good day\n");
    const std::string heard = co_await send_and_receive(*how.port, "hello");
    if (heard != "good day") throw std::runtime_error{"another line"};
    world.end_input();
    const int status = co_await chat.get();
    if (status != 0) throw std::runtime_error{"a line was lost"};
}

task<> two_lines(simulation& world) {
    chat::options how;
    how.port = 7778;
    how.bind = net::endpoint::loopback_v4(0);
    co_await with_task_group(talk, std::ref(world), std::cref(how));
}

// A menu that sends to one who answers, receives the answer, and is left.
task<> choose(task_group& group, simulation& world, const chat::options& how) {
    auto peer = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    auto chat = group.spawn(programs::chat, std::cref(how));
    world.type(fmt::format("1\n127.0.0.1\n{}\ngood day\n2\n3\n", peer.local_endpoint().port()));
    std::array<std::byte, 512> block;
    const net::datagram got = co_await ringlet::with_timeout(patience, peer.recv_from(block));
    if (ringlet::as_text(std::span{block}.first(got.size)) != "Ada: good day") throw std::runtime_error{"not sent"};
    co_await peer.send_to(ringlet::as_bytes(std::string_view{"hello"}), got.from);
    const int status = co_await chat.get();
    if (status != 0) throw std::runtime_error{"a line was lost"};
    if (world.output().find(": hello\n") == std::string::npos) throw std::runtime_error{"not shown"};
}

task<> one_menu(simulation& world) {
    chat::options how;
    how.port = 7778;
    how.bind = net::endpoint::loopback_v4(0);
    how.nick = "Ada";
    how.menu = true;
    co_await with_task_group(choose, std::ref(world), std::cref(how));
}

void cancel_and_fail(const testing::task_maker& make) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        testing::everywhere_options options;
        options.seed = seed;
        const auto cancelled = testing::cancel_everywhere(make, options);
        INFO("cancelled: " << cancelled.to_string());
        CHECK(cancelled.points > 20);
        CHECK(cancelled.cancelled > cancelled.points);
        const auto failed = testing::fail_everywhere(make, options);
        INFO("failed: " << failed.to_string());
        CHECK(failed.completed > 0);
        CHECK(failed.failed > 0);
    }
}

}  // namespace

TEST_CASE("a connection of the server survives everything everywhere", "[programs]") { cancel_and_fail(one_client); }

TEST_CASE("a connection of the server that sends from files survives everything everywhere", "[programs]") {
    cancel_and_fail(one_client_of_files);
}

TEST_CASE("two downloads survive everything everywhere", "[programs]") { cancel_and_fail(two_downloads); }

TEST_CASE("a TCP echo survives everything everywhere", "[programs]") {
    cancel_and_fail([](simulation& world) { return one_echo(world, true); });
}

TEST_CASE("a UDP echo survives everything everywhere", "[programs]") {
    cancel_and_fail([](simulation& world) { return one_echo(world, false); });
}

TEST_CASE("a chat of two lines survives everything everywhere", "[programs]") { cancel_and_fail(two_lines); }

TEST_CASE("a menu that sends and receives survives everything everywhere", "[programs]") { cancel_and_fail(one_menu); }
