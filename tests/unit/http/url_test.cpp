// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include <ringlet/http/url.hpp>

#include <string>

using ringlet::http::url;

TEST_CASE("URLs are taken apart", "[http][url]") {
    const auto u = url::parse("HTTP://User:pa%40ss@Example.ORG:8080/a/b.txt?x=1&y#frag");
    REQUIRE(u);
    CHECK(u->scheme() == "http");
    CHECK(u->host() == "example.org");
    CHECK(u->port() == 8080);
    CHECK(u->user_info() == "User:pa%40ss");
    CHECK(u->target() == "/a/b.txt?x=1&y");
    CHECK(u->last_segment() == "b.txt");
    CHECK(u->host_field() == "example.org:8080");
    CHECK(u->to_string() == "http://example.org:8080/a/b.txt?x=1&y");
}

TEST_CASE("what a URL leaves out is filled in", "[http][url]") {
    CHECK(url::parse("http://h")->target() == "/");
    CHECK(url::parse("http://h?x")->target() == "/?x");
    CHECK(url::parse("http://h#x")->target() == "/");
    CHECK(url::parse("http://h")->port() == 80);
    CHECK(url::parse("https://h")->port() == 443);
    CHECK(url::parse("https://h:443/")->host_field() == "h");
    CHECK(url::parse("http://h:443/")->host_field() == "h:443");
    CHECK(url::parse("http://h:/")->port() == 80);
    CHECK(url::parse("http://h/a/")->last_segment().empty());
    CHECK(url::parse("http://h/a?b/c")->last_segment() == "a");
}

TEST_CASE("IPv6 hosts lose their brackets and get them back", "[http][url]") {
    const auto u = url::parse("http://[::1]:8080/x");
    REQUIRE(u);
    CHECK(u->host() == "::1");
    CHECK(u->host_is_ipv6());
    CHECK(u->host_field() == "[::1]:8080");
    CHECK(u->to_string() == "http://[::1]:8080/x");
}

TEST_CASE("what people type into a URL is encoded, and nothing twice", "[http][url]") {
    CHECK(url::parse("http://h/a b/\xc3\xa4?q=\"<>")->target() == "/a%20b/%C3%A4?q=%22%3C%3E");
    CHECK(url::parse("http://h/%20%C3%a4")->target() == "/%20%C3%a4");
    CHECK(url::parse("http://h/100%")->target() == "/100%25");
    CHECK(url::parse("http://h/a[1]{2}|\\^`")->target() == "/a%5B1%5D%7B2%7D%7C%5C%5E%60");
    CHECK(url::parse("http://h/a//b/../c")->target() == "/a//b/../c");
}

TEST_CASE("what is no http URL is refused with the reason", "[http][url]") {
    struct row {
        const char* text;
        const char* reason;
    };
    for (const auto& r : {row{"", "empty URL"},
                          {"example.org/x", "no scheme: write http:// or https:// before it"},
                          {"localhost:4600/x", "no scheme: write http:// or https:// before it"},
                          {"example.org:80", "no scheme: write http:// or https:// before it"},
                          {"127.0.0.1:8080/x?y#z", "no scheme: write http:// or https:// before it"},
                          {"[::1]:8080/x", "no scheme: write http:// or https:// before it"},
                          {"mailto:somebody", "scheme is neither http nor https"},
                          {"HTTP:80", "no host in URL"},
                          {"/x", "no scheme: write http:// or https:// before it"},
                          {"ftp://h/x", "scheme is neither http nor https"},
                          {"file:///etc/passwd", "scheme is neither http nor https"},
                          {"http:///x", "no host in URL"},
                          {"http:/x", "no host in URL"},
                          {"http:x", "no host in URL"},
                          {"http://", "no host in URL"},
                          {"http://:80/", "no host in URL"},
                          {"http://u@/", "no host in URL"},
                          {"http://h:0/", "port out of range"},
                          {"http://h:65536/", "port out of range"},
                          {"http://h:99999999999/", "port out of range"},
                          {"http://h:8x/", "malformed URL"},
                          {"http://h:-1/", "malformed URL"},
                          {"http://a b/", "malformed URL"},
                          {"http://[::1/", "malformed URL"},
                          {"http://[fe80::1%25eth0]/", "malformed URL"},
                          {"http://[v1.x]/", "unknown kind of address in URL"},
                          {"http://\xc3\xa4.example/", "host name is not ASCII: write its xn-- form"},
                          {"http://u:p@a.\xc3\xa4:80", "host name is not ASCII: write its xn-- form"},
                          {"http://\xc3\xa4@h/", "malformed URL"},
                          {"http\xc3\xa4://h/", "malformed URL"},
                          {"http://good\\@evil/", "malformed URL"},
                          {"http://a%2eb/", "invalid character in host name"},
                          {"http://a;b/", "invalid character in host name"},
                          {"http://h/a\nb", "control character in URL"},
                          {"http://h/\x7f", "control character in URL"},
                          {" http://h/", "malformed URL"}}) {
        INFO(r.text);
        const auto got = url::parse(r.text);
        CHECK_FALSE(got);
        CHECK(got.reason() == r.reason);
    }
    CHECK_FALSE(url::parse("http://h/" + std::string(20000, 'a')));
    CHECK_FALSE(url::parse("http://" + std::string(300, 'a') + "/"));
}

TEST_CASE("redirects are resolved as RFC 3986 section 5.4 shows", "[http][url]") {
    const auto base = url::parse("http://a/b/c/d;p?q");
    REQUIRE(base);
    struct row {
        const char* reference;
        const char* result;
    };
    for (const auto& r : {row{"g", "http://a/b/c/g"},
                          {"./g", "http://a/b/c/g"},
                          {"g/", "http://a/b/c/g/"},
                          {"/g", "http://a/g"},
                          {"//g", "http://g/"},
                          {"?y", "http://a/b/c/d;p?y"},
                          {"g?y", "http://a/b/c/g?y"},
                          {"#s", "http://a/b/c/d;p?q"},
                          {";x", "http://a/b/c/;x"},
                          {"", "http://a/b/c/d;p?q"},
                          {".", "http://a/b/c/"},
                          {"..", "http://a/b/"},
                          {"../g", "http://a/b/g"},
                          {"../..", "http://a/"},
                          {"../../../g", "http://a/g"},
                          {"/./g", "http://a/g"},
                          {"/../g", "http://a/g"},
                          {"g;x=1/../y", "http://a/b/c/y"},
                          {"https://h:8/x", "https://h:8/x"},
                          {"/a b", "http://a/a%20b"},
                          {"/\xc3\xa4", "http://a/%C3%A4"}}) {
        INFO(r.reference);
        const auto got = base->resolve(r.reference);
        REQUIRE(got);
        CHECK(got->to_string() == r.result);
    }
    for (const char* bad : {"file:///etc/passwd", "javascript:alert(1)", "//", "http://", "/a\r\nX: y", "//h:99999/"}) {
        INFO(bad);
        CHECK_FALSE(base->resolve(bad));
    }
}

TEST_CASE("credentials stay within one origin", "[http][url]") {
    const auto a = url::parse("http://h/x");
    CHECK(a->same_origin(*url::parse("http://H:80/y")));
    CHECK_FALSE(a->same_origin(*url::parse("https://h/x")));
    CHECK_FALSE(a->same_origin(*url::parse("http://h:81/x")));
    CHECK_FALSE(a->same_origin(*url::parse("http://h.h/x")));
    CHECK(url::parse("http://u:p@h/x")->resolve("/y")->user_info().empty());
}
