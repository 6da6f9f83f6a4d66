// SPDX-License-Identifier: MIT
#include "certificates.hpp"
#include "support.hpp"
#include <ringlet/core/result.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/tls_session.hpp>
#include <ringlet/net/tls_stream.hpp>

#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

using namespace ringlet;
using namespace ringlet_tests;
using net::tls_session;
using net::tls_stream;

namespace {

struct secured_pair {
    secured_pair(tls_stream one, tls_stream other) : client{std::move(one)}, server{std::move(other)} {}
    tls_stream client;
    tls_stream server;
};

task<secured_pair> secured() {
    auto [near, far] = stream_pair();
    auto both = co_await when_all(tls_stream::connect(std::move(near), tls_client(), "localhost"),
                                  tls_stream::accept(std::move(far), tls_server()));
    secured_pair pair{std::get<0>(std::move(both)), std::get<1>(std::move(both))};
    co_return std::move(pair);
}

task<std::string> read_to_end(tls_stream& from, std::size_t bytes_at_a_time = 10'000) {
    std::string all;
    std::vector<std::byte> buffer(bytes_at_a_time);
    while (const std::size_t n = co_await from.recv(buffer)) all += as_text(std::span{buffer}.first(n));
    co_return all;
}

task<> send_and_end(tls_stream& to, std::string text) {
    co_await to.send_all(as_bytes(text));
    co_await to.shutdown_send();
}

std::string pattern(std::size_t bytes) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
    return text;
}

task<> both_ways() {
    secured_pair pair = co_await secured();
    const std::string one = pattern(1'000'000);
    const std::string other = pattern(300'001);
    const auto got = co_await when_all(send_and_end(pair.client, one), send_and_end(pair.server, other),
                                       read_to_end(pair.client), read_to_end(pair.server));
    CHECK(std::get<2>(got) == other);
    CHECK(std::get<3>(got) == one);
}

// So much at a time is received past the loop's buffers, and read where it has been received.
task<> large_buffers() {
    const std::string text = pattern(3'000'000);
    for (const std::size_t bytes : {16'385, 21'000, 24'576, 131'072, 1'000'000}) {
        secured_pair pair = co_await secured();
        const auto got = co_await when_all(send_and_end(pair.server, text), read_to_end(pair.client, bytes));
        CAPTURE(bytes);
        CHECK(std::get<1>(got) == text);
    }
}

task<std::string> what_went_wrong(task<tls_stream> handshake) {
    try {
        tls_stream made = co_await std::move(handshake);
    } catch (const std::system_error& error) {
        co_return std::string{error.what()};
    }
    co_return std::string{};
}

// The client's error, and the server's.
task<std::pair<std::string, std::string>> refused(net::tls_context server, net::tls_context client, std::string host) {
    auto [near, far] = stream_pair();
    const auto both = co_await when_all(what_went_wrong(tls_stream::connect(std::move(near), client, host)),
                                        what_went_wrong(tls_stream::accept(std::move(far), server)));
    std::pair<std::string, std::string> texts{std::get<0>(both), std::get<1>(both)};
    co_return texts;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

task<> bad_certificates() {
    const auto unknown = co_await refused(tls_server("lone"), tls_client(), "localhost");
    CHECK(contains(unknown.first, "the certificate is self-signed"));
    CHECK(!unknown.second.empty());  // the alert, or a reset where the client had not read all that came
    const auto expired = co_await refused(tls_server("expired"), tls_client(), "localhost");
    CHECK(contains(expired.first, "the certificate has expired"));
    const auto elsewhere = co_await refused(tls_server("elsewhere"), tls_client(), "localhost");
    CHECK(contains(elsewhere.first, "the certificate is for another host"));
    const auto other_address = co_await refused(tls_server(), tls_client(), "127.0.0.2");
    CHECK(contains(other_address.first, "the certificate is for another host"));
    for (const char* const name : {"localhost", "a.example.test", "127.0.0.1", "::1"}) {
        const auto good = co_await refused(tls_server(), tls_client(), name);
        CAPTURE(name);
        CHECK(good.first.empty());
    }
    const auto deep = co_await refused(tls_server(), tls_client(), "a.b.example.test");
    CHECK(contains(deep.first, "another host"));
    net::tls_trust its_own;
    its_own.ca_file = certificate_file("nameless.pem");
    const auto nameless = co_await refused(tls_server("nameless"), net::tls_context::client(its_own), "localhost");
    CHECK(contains(nameless.first, "the certificate is for another host"));
    net::tls_trust anybody;
    anybody.verify = false;
    const auto trusting = co_await refused(tls_server("expired"), net::tls_context::client(anybody), "elsewhere");
    CHECK(trusting.first.empty());
}

task<> protocols() {
    const auto same = co_await refused(tls_server("server", "http/1.1"), tls_client("http/1.1"), "localhost");
    CHECK(same.first.empty());
    const auto none = co_await refused(tls_server("server", "http/1.1"), tls_client(), "localhost");
    CHECK(none.first.empty());
    const auto other = co_await refused(tls_server("server", "http/1.1"), tls_client("h2"), "localhost");
    CHECK(contains(other.second, "no application protocol"));
}

// Somebody on the way ends the connection: that is no end of the stream.
task<> truncated() {
    secured_pair pair = co_await secured();
    co_await pair.server.send_all(as_bytes("all of it?"));
    pair.server.transport().close();
    std::vector<std::byte> buffer(100);
    const std::size_t n = co_await pair.client.recv(buffer);
    CHECK(n == 10);
    const auto end = co_await as_result(pair.client.recv(buffer));
    CHECK(end.error() == net::errc::unexpected_end);
}

task<> altered() {
    secured_pair pair = co_await secured();
    co_await pair.server.send_all(as_bytes("one"));
    pair.server.transport().close();
    std::string records = co_await ringlet_tests::read_to_end(pair.client.transport());
    records.back() ^= 1;
    auto parts = std::move(pair.client).release();
    parts.session.feed(as_bytes(records));
    std::vector<std::byte> clear(100);
    CHECK_THROWS_AS(parts.session.read(clear), std::system_error);
    CHECK(!parts.session.output().empty());  // the alert
}

task<> altered_after_good_ones() {
    secured_pair pair = co_await secured();
    const std::string text = pattern(100'000);
    auto parts = std::move(pair.server).release();
    parts.session.write(as_bytes(text));
    parts.session.output().back() ^= 1;
    co_await parts.transport.send_all(as_bytes(parts.session.output()));
    std::vector<std::byte> buffer(150'000);
    std::string all;
    std::error_code why;
    while (!why) {
        const auto got = co_await as_result(pair.client.recv(buffer));
        why = got.error();
        if (got) all += as_text(std::span{buffer}.first(*got));
    }
    CHECK(why == net::errc::tls_failed);
    CHECK(all == text.substr(0, text.size() / 16'384 * 16'384));
}

task<std::string> say_and_hear(net::tcp_stream stream, std::string text) {
    co_await stream.send_all(as_bytes(text));
    co_return co_await ringlet_tests::read_to_end(stream);
}

task<> other_language() {
    auto [near, far] = stream_pair();
    const net::tls_context context =
        net::tls_context::server(certificate_file("server.pem"), certificate_file("server.key"), {}, "in clear: no");
    const auto got = co_await when_all(as_result(tls_stream::accept(std::move(far), context)),
                                       say_and_hear(std::move(near), "GET / HTTP/1.1\r\n\r\n"));
    CHECK(std::get<0>(got).error() == net::errc::tls_failed);
    CHECK(std::get<1>(got) == "in clear: no");
}

task<> silence() {
    auto [near, far] = stream_pair();
    const auto got = co_await as_result(
        with_timeout(std::chrono::milliseconds{1}, tls_stream::accept(std::move(far), tls_server())));
    CHECK(got.error() == std::errc::timed_out);
    std::vector<std::byte> buffer(10);
    const std::size_t n = co_await near.recv(buffer);
    CHECK(n == 0);  // the transport is closed
}

// What a cancelled send leaves is sent with the next one: the peer sees whole records, in order.
task<> cancelled_send() {
    secured_pair pair = co_await secured();
    const std::string large = pattern(4'000'000);
    const auto cut =
        co_await as_result(with_timeout(std::chrono::milliseconds{1}, pair.server.send_all(as_bytes(large))));
    CHECK(cut.error() == std::errc::timed_out);
    const auto rest = co_await when_all(send_and_end(pair.server, "the end"), read_to_end(pair.client));
    const std::string& got = std::get<1>(rest);
    REQUIRE(got.size() > 7);
    CHECK(got.substr(got.size() - 7) == "the end");
    CHECK(got.substr(0, got.size() - 7) == large.substr(0, got.size() - 7));
}

}  // namespace

TEST_CASE("a TLS stream carries both directions at once, and says where each ends", "[net][tls]") { run(both_ways); }
TEST_CASE("what is read from a TLS stream does not depend on the size of the buffer", "[net][tls]") {
    run(large_buffers);
}
TEST_CASE("a certificate that is not one to trust ends the handshake, and the error says why", "[net][tls]") {
    run(bad_certificates);
}
TEST_CASE("a client that speaks another protocol only is refused", "[net][tls]") { run(protocols); }
TEST_CASE("an end without close_notify is an error", "[net][tls]") { run(truncated); }
TEST_CASE("altered bytes are an error, and the peer is told", "[net][tls]") { run(altered); }
TEST_CASE("what came whole before altered bytes is read before the error", "[net][tls]") {
    run(altered_after_good_ones);
}
TEST_CASE("what is no TLS ends the handshake", "[net][tls]") { run(other_language); }
TEST_CASE("a handshake with a silent peer ends at its limit", "[net][tls]") { run(silence); }
TEST_CASE("a cancelled send tears no record", "[net][tls][orderly]") { run(cancelled_send); }

TEST_CASE("files that are no certificate or key are named, and why", "[net][tls]") {
    using net::tls_context;
    const std::string certificate = certificate_file("server.pem");
    const std::string key = certificate_file("server.key");
    CHECK_THROWS_WITH(tls_context::server("/nowhere.pem", key), "/nowhere.pem: No such file or directory");
    CHECK_THROWS_WITH(tls_context::server(key, key), key + ": holds no certificate in PEM form");
    CHECK_THROWS_WITH(tls_context::server(certificate, certificate),
                      certificate + ": holds no private key that can be read");
    const std::string other = certificate_file("expired.key");
    CHECK_THROWS_WITH(tls_context::server(certificate, other),
                      other + ": is not the key of the certificate in " + certificate);
    net::tls_trust trust;
    trust.ca_file = "/nowhere.pem";
    CHECK_THROWS_WITH(tls_context::client(trust), "/nowhere.pem: No such file or directory");
}

TEST_CASE("a session needs no more than bytes from one end to the other", "[net][tls]") {
    tls_session server{tls_server()};
    tls_session client{tls_client(), "localhost"};
    const auto move = [](tls_session& from, tls_session& to) {
        to.feed(as_bytes(from.output()));
        from.output().clear();
    };
    bool client_done = false;
    bool server_done = false;
    for (int turn = 0; turn < 4 && !(client_done && server_done); ++turn) {
        client_done = client.handshake();
        move(client, server);
        server_done = server.handshake();
        move(server, client);
    }
    REQUIRE((client_done && server_done));
    server.write(as_bytes("hello"));
    server.close();
    move(server, client);
    std::array<std::byte, 3> three{};
    CHECK(client.read(three).bytes == 3);
    const auto rest = client.read(three);
    CHECK(rest.bytes == 2);
    CHECK(client.read(three).closed);
}
