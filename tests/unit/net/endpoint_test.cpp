// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include <ringlet/net/endpoint.hpp>

#include <stdexcept>
#include <unordered_set>

using ringlet::net::endpoint;
using ringlet::net::parse_port;

TEST_CASE("an endpoint is written as it is read", "[net]") {
    for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0",
                             "[2001:db8::17]:8080", "[::ffff:1.2.3.4]:5", "[fe80::1%7]:9"}) {
        CAPTURE(text);
        const auto e = endpoint::try_parse(text);
        REQUIRE(e);
        CHECK(e->to_string() == text);
        CHECK(fmt::format("{}", *e) == text);
        CHECK(endpoint{e->address(), e->length()} == *e);
    }
    CHECK(fmt::format("{:>14}|", endpoint::loopback_v4(1)) == "   127.0.0.1:1|");
    CHECK(endpoint::parse("[fe80::1%lo]:1").scope_id() == 1);
}

TEST_CASE("what is no address with a port is refused", "[net]") {
    for (const char* text : {"",
                             ":",
                             ":80",
                             "127.0.0.1",
                             "127.0.0.1:",
                             "127.0.0.1:65536",
                             "127.0.0.1:-1",
                             "127.0.0.1:+1",
                             "127.0.0.1:8 ",
                             " 127.0.0.1:80",
                             "127.0.0.1 :80",
                             "127.0.0.1:80x",
                             "127.0.0.01:80",
                             "127.1:80",
                             "256.0.0.1:80",
                             "0x7f.0.0.1:1",
                             "1.2.3.4.5:1",
                             "::1:80",
                             "[::1]",
                             "[::1]80",
                             "[::1]:",
                             "[]:1",
                             "[127.0.0.1]:80",
                             "[::1:80",
                             "::1]:80",
                             "[[::1]]:80",
                             "[::g]:1",
                             "[fe80::1%]:1",
                             "[fe80::1%nosuchinterface]:1",
                             "localhost:80",
                             "127.0.0.1:80:80",
                             "127.0.0.1:999999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(endpoint::try_parse(text));
    }
    CHECK_FALSE(endpoint::try_parse(std::string_view{"127.0.0.1\0:80", 13}));
    CHECK_FALSE(endpoint::try_parse(std::string(300, '1') + ":80"));
    CHECK_THROWS_AS(endpoint::parse("nonsense"), std::invalid_argument);
    CHECK_THROWS_WITH(endpoint::parse("nonsense"),
                      "not an address with a port: 'nonsense' (write 127.0.0.1:80 or [::1]:80)");
}

TEST_CASE("a port is a number from 0 to 65535 and nothing else", "[net]") {
    CHECK(parse_port("0") == 0);
    CHECK(parse_port("65535") == 65535);
    for (const char* text : {"", "65536", "-1", "+1", " 1", "1 ", "1x", "0x1", "99999999999"})
        CHECK_FALSE(parse_port(text));
}

TEST_CASE("endpoints compare by family, address, port and scope, and hash by what they compare", "[net]") {
    const auto a = endpoint::parse("1.2.3.4:5");
    CHECK(a == endpoint::v4({1, 2, 3, 4}, 5));
    CHECK(a < endpoint::parse("1.2.3.4:6"));
    CHECK(a < endpoint::parse("1.2.3.5:1"));
    CHECK(a < endpoint::parse("[::]:1"));
    CHECK(endpoint::parse("[fe80::1%1]:1") != endpoint::parse("[fe80::1%2]:1"));
    CHECK(endpoint{} == endpoint{});
    CHECK(endpoint{} < a);
    std::unordered_set<endpoint> all;
    for (std::uint16_t port = 0; port < 1000; ++port) {
        all.insert(endpoint::loopback_v4(port));
        all.insert(endpoint::loopback_v6(port));
        all.insert(endpoint::loopback_v6(port));
    }
    CHECK(all.size() == 2000);
}

TEST_CASE("an endpoint knows what kind of address it is", "[net]") {
    CHECK(endpoint::parse("127.9.9.9:1").is_loopback());
    CHECK(endpoint::loopback_v6(1).is_loopback());
    CHECK_FALSE(endpoint::parse("128.0.0.1:1").is_loopback());
    CHECK(endpoint::any_v4(1).is_any());
    CHECK(endpoint::any_v6(1).is_any());
    CHECK(endpoint{}.family() == endpoint::family_type::unspecified);
    CHECK(endpoint{}.to_string() == "(no address)");
    auto e = endpoint::loopback_v6(1);
    e.set_port(77);
    CHECK(e.port() == 77);
    CHECK(e.address_text() == "::1");
}
