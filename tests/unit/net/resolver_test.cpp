// SPDX-License-Identifier: MIT
// Names, against a small name server of our own on the loopback.
#include "support.hpp"
#include <ringlet/net/resolver.hpp>
#include <ringlet/net/udp_socket.hpp>

#include <algorithm>
#include <cctype>

using namespace ringlet;
using namespace ringlet_tests;
using net::endpoint;
using net::resolve;
using net::resolve_options;
using net::udp_socket;

namespace {

constexpr unsigned type_a = 1;
constexpr unsigned type_aaaa = 28;

struct question {
    std::string name;
    unsigned type = 0;
    std::size_t end = 0;  // of the question in the message
};

question parse(std::string_view message) {
    question q;
    std::size_t at = 12;
    while (at < message.size() && message[at] != 0) {
        const auto length = static_cast<std::size_t>(message[at]);
        if (!q.name.empty()) q.name += '.';
        for (const char c : message.substr(at + 1, length)) q.name += static_cast<char>(std::tolower(c));
        at += length + 1;
    }
    if (at + 4 < message.size()) q.type = static_cast<unsigned char>(message[at + 2]);
    q.end = std::min(at + 5, message.size());
    return q;
}

std::string answer_to(std::string_view message) {
    const question q = parse(message);
    const bool known = q.name == "both.test" || q.name == "four.test";
    unsigned rcode = known ? 0 : 3;
    if (q.name == "broken.test") rcode = 2;
    if (q.name == "forbidden.test") rcode = 5;
    std::string record;
    if (known && q.type == type_a) record = std::string{"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07", 16};
    if (q.name == "both.test" && q.type == type_aaaa) {
        record = std::string{"\xc0\x0c\0\x1c\0\x01\0\0\0\x3c\0\x10", 12};
        record += std::string{"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07", 16};
    }
    std::string out{message.substr(0, 2)};
    out += '\x81';
    out += static_cast<char>(0x80 | rcode);
    out += std::string{"\0\x01\0", 3};
    out += static_cast<char>(record.empty() ? 0 : 1);
    out += std::string(4, '\0');
    out += message.substr(12, q.end - 12);
    return out + record;
}

task<> name_server(udp_socket& socket, int& questions) {
    std::array<std::byte, 1500> buffer{};
    for (;;) {
        const net::datagram got = co_await socket.recv_from(buffer);
        const std::string_view message = as_text(std::span{buffer}.first(got.size));
        ++questions;
        const question q = parse(message);
        if (q.name == "silent.test") continue;
        std::string answer = answer_to(message);
        if (q.name == "garbage.test")
            answer = std::string{message.substr(0, 2)} + "\xff\xff\xff garbage that is no answer";
        co_await socket.send_to(as_bytes(answer), got.from);
    }
}

using scenario = task<> (*)(resolve_options, int&);

task<> with_server(scenario what) {
    auto socket = udp_socket::bind(endpoint::loopback_v4(0));
    int questions = 0;
    resolve_options options;
    options.servers = {socket.local_endpoint()};
    options.question = std::chrono::milliseconds{50};
    options.limit = std::chrono::milliseconds{2000};
    auto server = spawn(name_server, std::ref(socket), std::ref(questions));
    co_await what(std::move(options), questions);
    server.cancel();
    co_await server.join();
}

std::vector<std::string> sorted(const std::vector<endpoint>& all) {
    std::vector<std::string> texts;
    for (const endpoint& e : all) texts.push_back(e.to_string());
    std::sort(texts.begin(), texts.end());
    return texts;
}

task<> answers(resolve_options options, int&) {
    const auto both = co_await resolve("both.test", 80, options);
    CHECK(sorted(both) == std::vector<std::string>{"192.0.2.7:80", "[2001:db8::7]:80"});
    const auto four = co_await resolve("FOUR.test", 81, options);
    CHECK(sorted(four) == std::vector<std::string>{"192.0.2.7:81"});
    resolve_options six = options;
    six.wanted = resolve_options::families::ipv6;
    const auto only_six = co_await resolve("both.test", 82, six);
    CHECK(sorted(only_six) == std::vector<std::string>{"[2001:db8::7]:82"});
    const std::string none = co_await fate(resolve("four.test", 82, six));
    CHECK(none == "could not resolve host: four.test: host not found");
}

task<std::error_code> error_of(std::string host, resolve_options options) {
    const result<std::vector<endpoint>> found = co_await as_result(resolve(std::move(host), 1, std::move(options)));
    co_return found.error();
}

task<> failures(resolve_options options, int&) {
    const std::error_code gone = co_await error_of("gone.test", options);
    CHECK(gone == net::errc::host_not_found);
    const std::error_code broken = co_await error_of("broken.test", options);
    CHECK(broken == net::errc::resolver_unavailable);
    const std::error_code forbidden = co_await error_of("forbidden.test", options);
    CHECK(forbidden == net::errc::resolver_unavailable);
    const std::error_code garbage = co_await error_of("garbage.test", options);
    CHECK((garbage == net::errc::resolver_unavailable || garbage == net::errc::resolver_timed_out));
    const std::string text = co_await fate(resolve("gone.test", 1, options));
    CHECK(text == "could not resolve host: gone.test: host not found");
}

task<> silence(resolve_options options, int& questions) {
    options.limit = std::chrono::milliseconds{120};
    const auto begin = clock::now();
    const std::error_code error = co_await error_of("silent.test", options);
    CHECK(error == net::errc::resolver_timed_out);
    CHECK(error == std::errc::timed_out);
    CHECK(clock::now() - begin < 1s);
    CHECK(questions >= 2);  // asked again before the limit
}

task<> cancelled_anywhere(resolve_options options, int&) {
    for (int turns = 0; turns < 12; ++turns) {
        auto lookup = spawn(resolve, turns % 2 == 0 ? "silent.test" : "both.test", std::uint16_t{1}, options);
        for (int i = 0; i < turns; ++i) co_await yield();
        if (turns > 8) co_await sleep(1ms);
        lookup.cancel();
        co_await lookup.join();
    }
}

task<> at_once(resolve_options options, int& questions) {
    for (const char* host : {"", ".", "1.2.3", "256.1.1.1", "1.2.3.4.5", "12345", "1..2", "nosuch.invalid", "INVALID",
                             "a.b.Invalid.", "with space.test", "http://a", "[::1]", "::g", "fe80::1%nosuch"}) {
        CAPTURE(host);
        const std::error_code error = co_await error_of(host, options);
        CHECK(error == net::errc::host_not_found);
    }
    const std::error_code too_long = co_await error_of(std::string(300, 'a') + ".test", options);
    CHECK(too_long == net::errc::host_not_found);
    for (const char* host : {"127.0.0.1", "::1", "fe80::1%1", "2001:db8::1"}) {
        const auto found = co_await resolve(host, 9, options);
        CHECK(found == std::vector<endpoint>{*endpoint::try_parse_address(host, 9)});
    }
    CHECK(questions == 0);  // nobody was asked
}

task<> from_hosts_file(resolve_options options, int& questions) {
    const auto found = co_await resolve("localhost", 7, options);
    CHECK_FALSE(found.empty());
    CHECK(std::all_of(found.begin(), found.end(), [](const endpoint& e) { return e.is_loopback() && e.port() == 7; }));
    CHECK(questions == 0);
}

task<> nobody_listens(resolve_options options, int&) {
    {
        const auto gone = udp_socket::bind(endpoint::loopback_v4(0));
        options.servers = {gone.local_endpoint()};
    }
    const auto begin = clock::now();
    const std::error_code error = co_await error_of("both.test", options);
    CHECK((error == net::errc::resolver_unavailable || error == net::errc::resolver_timed_out));
    CHECK(clock::now() - begin < 3s);
}

void check(scenario what) {
    const leak_check leaks;
    run(with_server, what);
}

}  // namespace

TEST_CASE("names give their IPv4 and IPv6 addresses", "[net][resolver]") { check(answers); }
TEST_CASE("no such name, a broken server and garbage are told apart", "[net][resolver]") { check(failures); }
TEST_CASE("a silent server is asked again, and given up at the limit", "[net][resolver]") { check(silence); }
TEST_CASE("a lookup may be cancelled at any point", "[net][resolver]") { check(cancelled_anywhere); }
TEST_CASE("what cannot exist fails at once, and numeric addresses need no server", "[net][resolver]") {
    check(at_once);
}
TEST_CASE("the hosts file comes before the servers", "[net][resolver]") { check(from_hosts_file); }
TEST_CASE("a server that is not there is an error within the limit", "[net][resolver]") { check(nobody_listens); }
